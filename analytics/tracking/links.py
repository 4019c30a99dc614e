"""Acts on short links. An address is for good; where it leads can change, and every change is in the audit trail."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from analytics.models import Link, LinkDomain
from analytics.tracking.codes import clean_code, new_code
from analytics.tracking.splits import split_of
from analytics.tracking.utm import template_for, with_utm
from campaigns.drafts import PostDraft
from campaigns.models import Campaign, Post
from lib.clock import now
from lib.public_http import FetchError, check_url
from lib.text import storable
from social.models import Connection

MAX_TARGET = 2000
TRIES = 8
NAME = "Short links"


# --- reading ----------------------------------------------------------------------------------------------


def visible_links(actor: Actor) -> QuerySet[Link]:
    actor.require(Perm.VIEW)
    return Link.objects.filter(workspace=actor.workspace).select_related("domain", "campaign", "post")


def get_link(actor: Actor, link_id: UUID) -> Link:
    link = visible_links(actor).filter(pk=link_id).first()
    if link is None:
        raise Http404("Not found.")
    return link


def address_of(link: Link) -> str:
    """The address to publish."""
    if link.domain and link.domain.verified_at:
        return f"{'https' if settings.HTTPS else 'http'}://{link.domain.host}/{link.code}"
    return f"{settings.BASE_URL}/l/{link.code}"


def is_short(url: str) -> bool:
    """Whether this is an address of ours already, whichever workspace's (inside its scope)."""
    return bool(code_in(url))


def code_in(url: str) -> str:
    """The code of one of our short addresses, else nothing."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    if host == urlsplit(settings.BASE_URL).hostname and parts.path.startswith("/l/"):
        return parts.path[3:].strip("/").lower()
    if LinkDomain.objects.filter(host=host).exclude(verified_at=None).exists():
        return parts.path.strip("/").lower()
    return ""


def target_behind(url: str) -> str:
    """Where one of our short addresses leads; nothing for any other, and for one that leads nowhere."""
    code = code_in(url)
    link = Link.objects.filter(code=code, is_active=True).first() if code else None
    return link.target if link else ""


# --- making -----------------------------------------------------------------------------------------------


def create_link(
    target: str,
    *,
    by: Actor,
    campaign: Campaign | None = None,
    post: Post | None = None,
    domain: LinkDomain | None = None,
    code: str = "",
    title: str = "",
    utm: bool = True,
) -> Link:
    """`utm=False` leaves the target as it is."""
    by.require(Perm.CONTENT_EDIT)
    target = clean_target(target)
    if domain is not None and not domain.verified_at:
        raise ValidationError({"domain": "Check this domain first: nobody knows yet whether it leads here."})
    values = utm_values(campaign, post, "social")
    link = Link(
        workspace=by.workspace,
        target=_tagged(target, campaign, values) if utm else target,
        title=_title(title),
        campaign=campaign,
        post=post,
        domain=domain,
        created_by=by.user,
    )
    with transaction.atomic():
        _save_new(link, code)
        audit.record("link.create", link, by=by, code=link.code, target=link.target)
    return link


def shorten(url: str, post: Post, draft: PostDraft | None = None) -> str:
    """The short address for one in a post: the same one however often it is asked for. Ours are left alone.

    Inside the transaction that saves the post. `draft` knows campaign and channels before the post does.
    """
    if is_short(url):
        return url
    campaign = draft.campaign if draft else post.campaign
    target = clean_target(url if "://" in url else f"https://{url}")
    target = _tagged(target, campaign, utm_values(campaign, post, _network(post, draft)))
    known = Link.objects.filter(post=post, target=target, is_active=True).select_related("domain").first()
    if known is None:
        domain = LinkDomain.objects.filter(workspace=post.workspace).exclude(verified_at=None).first()
        known = Link(
            workspace=post.workspace,
            target=target,
            campaign=campaign,
            post=post,
            domain=domain,
            created_by=post.created_by,
        )
        _save_new(known)
    return address_of(known)


def _tagged(target: str, campaign: Campaign | None, values: Mapping[str, str]) -> str:
    tagged = with_utm(target, template_for(campaign), values)
    return tagged if len(tagged) <= MAX_TARGET else target


def utm_values(campaign: Campaign | None, post: Post | None, network: str, variant: str = "") -> dict[str, str]:
    return {
        "campaign": campaign.name if campaign else "",
        "post": (post.title or str(post.pk)) if post else "",
        "network": network,
        "variant": variant,
        "date": now().date().isoformat(),
    }


def _network(post: Post, draft: PostDraft | None) -> str:
    """The one network that the post goes to; one text for several has one link."""
    ids = draft.connections if draft else post.deliveries.values_list("connection_id", flat=True)
    found = set(Connection.objects.filter(pk__in=list(ids)).values_list("network", flat=True))
    return found.pop() if len(found) == 1 else "social"


def _save_new(link: Link, code: str = "") -> None:
    """Under the code that was chosen, or under a free one."""
    chosen = clean_code(code) if code else ""
    for _ in range(1 if chosen else TRIES):
        link.code = chosen or new_code()
        try:
            with transaction.atomic():
                link.save(force_insert=True)
                return
        except IntegrityError as error:
            if "link_code" not in str(error):
                raise
    raise ValidationError({"code": "This code is taken. Choose another."})


def clean_target(text: str) -> str:
    """Raises ValidationError."""
    target = text.strip()
    try:
        check_url(target)
    except FetchError as error:
        raise ValidationError({"target": str(error)}) from error
    if len(target) > MAX_TARGET or any(ord(char) < 33 for char in target):
        raise ValidationError({"target": f"An address without spaces, of at most {MAX_TARGET:,} characters."})
    if is_short(target):
        raise ValidationError({"target": "This is a short link already. Enter where it leads."})
    return storable(target)


# --- changing ---------------------------------------------------------------------------------------------


def change_link(
    link: Link,
    *,
    by: Actor,
    title: str | None = None,
    target: str | None = None,
    is_active: bool | None = None,
) -> Link:
    """What is None stays. A new target holds from the next click on, also for what is published already."""
    by.require(Perm.CONTENT_EDIT)
    wanted: dict[str, Any] = {
        "title": None if title is None else _title(title),
        "target": None if target is None else clean_target(target),
        "is_active": is_active,
    }
    with transaction.atomic():
        link = (
            Link.objects.select_for_update(no_key=True, of=("self",))
            .select_related("domain", "campaign", "post")
            .get(pk=link.pk)
        )
        changed = {n: value for n, value in wanted.items() if value is not None and value != getattr(link, n)}
        former = {name: getattr(link, name) for name in changed}
        for name, value in changed.items():
            setattr(link, name, value)
        if changed:
            link.save(update_fields=list(changed))
            audit.record("link.change", link, by=by, before=former, after=changed)
    return link


def _title(text: str) -> str:
    return " ".join(storable(text).split())[:200]


def set_split(link: Link, split: dict[str, Any], *, variants: bool = True) -> None:
    """From the next new visitor on (those who came before keep their arm); {} ends it. For experiments.

    `variants`: the addresses of arms get the link's UTM parameters, with the arm as {variant}. Raises ValidationError.
    """
    split = dict(split)
    if split:
        try:
            UUID(str(split["experiment"]))
            split_of(split)
            split["arms"] = [{**arm, "url": clean_target(arm["url"])} for arm in split["arms"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValidationError("A split names experiment, salt and arms with key, url, weight.") from error
        if variants:
            split["arms"] = [_with_variant(link, arm) for arm in split["arms"]]
    link.split = split
    link.save(update_fields=["split"])


def _with_variant(link: Link, arm: dict[str, Any]) -> dict[str, Any]:
    network = _network(link.post, None) if link.post else "social"
    values = utm_values(link.campaign, link.post, network, variant=str(arm["key"]))
    return {**arm, "url": _tagged(arm["url"], link.campaign, values)}
