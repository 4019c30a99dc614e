"""Links by which a client decides without an account. Only the hash of a link's token is kept."""

import hashlib
import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.template.loader import render_to_string

from accounts import audit
from accounts.access import ROLE_PERMS, Actor, Perm, system_actor
from accounts.models import Membership, new_secret
from accounts.scope import resolver_scope, workspace_scope
from compliance.models import Review, ReviewLink
from compliance.reviews.decisions import approve_review, request_changes
from compliance.reviews.holds import hold_review, resume_review
from compliance.reviews.subjects import ReviewClosed
from lib.clock import now
from lib.text import one_line, storable

TOKEN = re.compile(r"rl_[A-Za-z0-9_-]{43}")
DAYS, MOST_DAYS = 14, 90
GONE = "This link does not work any more. Ask for a new one."
# What a client may do with a review, by the name of the button.
ACTS = ("approve", "changes", "hold", "resume")


def create_link(
    *, by: Actor, name: str, scope_id: UUID, scope_label: str, email: str = "", days: int = DAYS
) -> tuple[ReviewLink, str]:
    """The link and its token, which exists nowhere else: show it once. The caller has loaded what it opens."""
    by.require(Perm.REVIEW)
    by.require(Perm.MEMBERS)
    name, email = one_line(storable(name)).strip()[:80], email.strip()
    _check(name, email, days)
    token = new_secret("rl")
    with transaction.atomic():
        link = ReviewLink.objects.create(
            workspace=by.workspace,
            token_hash=hash_token(token),
            name=name,
            email=email,
            scope_id=scope_id,
            scope_label=scope_label[:200],
            created_by=by.user,
            expires_at=now() + timedelta(days=days),
        )
        audit.record("review_link.create", link, by=by, client=name, email=email, scope=str(scope_id))
        if email:
            # Not by a task: its arguments would carry the token.
            transaction.on_commit(partial(_mail, link, token, str(by.user or by.label)), robust=True)
    return link, token


def _check(name: str, email: str, days: int) -> None:
    if not name:
        raise ValidationError({"name": "Say who the link is for."})
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"Between 1 and {MOST_DAYS} days."})
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise ValidationError({"email": error}) from error


def _mail(link: ReviewLink, token: str, sender: str) -> None:
    context = {
        "name": link.name,
        "sender": one_line(sender),
        "workspace": one_line(link.workspace),
        "scope": one_line(link.scope_label),
        "url": link_url(token),
        "expires_at": link.expires_at,
    }
    subject = f"{context['sender']} asks for your approval: {context['scope']}"
    send_mail(subject[:200], render_to_string("compliance/mail_review_link.txt", context), None, [link.email])


def link_url(token: str) -> str:
    return f"{settings.BASE_URL}/review/{token}"


def revoke_link(link_id: UUID, *, by: Actor) -> ReviewLink:
    by.require(Perm.REVIEW)
    by.require(Perm.MEMBERS)
    with transaction.atomic():
        link = ReviewLink.objects.filter(workspace=by.workspace, pk=link_id).first()
        if link is None:
            raise Http404("No such link.")
        if ReviewLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now()):
            audit.record("review_link.revoke", link, by=by, client=link.name, scope=str(link.scope_id))
    return link


# --- using one --------------------------------------------------------------------------------------------


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_link(token: str) -> ReviewLink | None:
    """By its token alone, before the workspace is known. It may be closed: see `is_usable`."""
    if not TOKEN.fullmatch(token):
        return None
    key = hash_token(token)
    with resolver_scope(key):
        return ReviewLink.objects.select_related("workspace", "created_by").filter(token_hash=key).first()


def is_usable(link: ReviewLink) -> bool:
    """Open, and whoever made it could still make it."""
    member = Membership.objects.filter(user=link.created_by_id, workspace=link.workspace_id, user__is_active=True)
    role = member.values_list("role", flat=True).first()
    may_share = {Perm.REVIEW, Perm.MEMBERS} <= ROLE_PERMS.get(role or "", frozenset())
    return link.is_open and may_share and not link.workspace.is_suspended


def note_use(link: ReviewLink) -> None:
    """At most once a minute."""
    with workspace_scope(link.workspace_id):
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - timedelta(minutes=1))
        ReviewLink.objects.filter(stale, pk=link.pk).update(last_used_at=now())


def reviews_of(link: ReviewLink) -> QuerySet[Review]:
    """What it opens: what waits in its scope, and what was decided by it (inside the workspace's scope)."""
    shown = Q(status=Review.Status.WAITING) | Q(decided_link=link)
    return Review.objects.filter(shown, workspace=link.workspace_id, scopes__contains=[link.scope_id])


def decide_by_link(link: ReviewLink, review: Review, act: str, *, name: str, seen_hash: str, reason: str = "") -> None:
    """One of ACTS, in the name the client typed. Raises what the acts raise; ReviewClosed where the link has ended."""
    name = one_line(storable(name)).strip()[:80]
    if not name:
        raise ValidationError({"name": "Type your name, so that the team knows who decided."})
    fresh = ReviewLink.objects.select_related("workspace", "created_by").get(pk=link.pk)
    if not (is_usable(fresh) and fresh.can_decide and fresh.scope_id in review.scopes):
        raise ReviewClosed(GONE)
    by = system_actor(fresh.workspace, f"{name[:30]} {_mark(fresh)}", {Perm.REVIEW})
    options: dict[str, Any] = {"by": by}
    if act == "approve":
        approve_review(review, seen_hash=seen_hash, vouched_by=fresh.created_by, link=fresh, **options)
    elif act == "changes":
        request_changes(review, reason=reason, link=fresh, **options)
    elif act == "hold":
        hold_review(review, reason=reason, **options)
    elif act == "resume" and is_held_by(fresh, review):
        resume_review(review, **options)
    else:
        raise ValidationError("Choose one of the buttons.")


def is_held_by(link: ReviewLink, review: Review) -> bool:
    """A client takes off hold only what was put there by the same link."""
    return review.held_at is not None and review.held_by_label.endswith(_mark(link))


def _mark(link: ReviewLink) -> str:
    return f"(client: {link.name}, {str(link.pk)[-4:]})"
