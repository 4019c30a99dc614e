"""What the composer shows: the form, its previews, what it costs, and what lies ready to be put in."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import Actor, Perm
from accounts.usage import Budget, campaign_budget, left, month_budget
from accounts.web import MemberRequest
from campaigns.access import visible_assets, visible_campaigns, visible_posts
from campaigns.autosave import form_from, version_of
from campaigns.emoji import EMOJI
from campaigns.forms_post import MediaField, PartField, PostForm, form_of
from campaigns.forms_post_options import usable_options, usable_poll
from campaigns.guard_findings import Finding, Findings, find_in_form, render_for_anywhere, unsaved_post
from campaigns.guard_matrix import Matrix, build_matrix, drafts_of
from campaigns.guarding import draft_of, gather_known
from campaigns.links import SHORTENERS
from campaigns.models import Campaign, ComposerDraft, Delivery, MediaAsset, Post, Snippet
from campaigns.post_room import say_room
from campaigns.previews import Preview, PreviewPart, build_preview
from campaigns.rendering import Rendered, RenderedMedia, render_part
from campaigns.views.drafting import assist_context
from campaigns.wall_clock import parse_local
from compliance.guard.port import ANY
from compliance.services import TOLD
from lib.money import dollars
from lib.text_diff import Change, diff_words
from social.models import Connection
from social.networks.options import PREVIEWS, REPLY_SETTINGS
from social.networks.rules import MAX_PARTS, RULES

LIBRARY_PAGE = 60
LONGEST_DIFF = 4_000


@dataclass(frozen=True)
class Text:
    """One text field of a part: the shared one, or that of a connection."""

    name: str
    value: str
    placeholder: str
    is_open: bool


@dataclass(frozen=True)
class Counter:
    connection: Connection
    part: PreviewPart


@dataclass(frozen=True)
class Part:
    field: PartField
    texts: list[Text]
    media: list[tuple[MediaField, MediaAsset]]
    counters: list[Counter]
    errors: list[str]
    findings: list[Finding]


def show_composer(
    request: MemberRequest,
    form: PostForm,
    post: Post | None = None,
    *,
    offered: ComposerDraft | None = None,
    kept: ComposerDraft | None = None,
) -> HttpResponse:
    """`offered` is unsaved work that waits for an answer; `kept` is what the form goes on with."""
    context = composer_context(request.actor, form, post) | {
        "post": post,
        "offer": _offer(offered, post, request.actor) if offered else None,
        "draft_of": post.pk if post else form.new_id,
        # Without it the first thing typed would replace what is offered.
        "seen": version_of(kept) if kept else "",
        "is_continued": kept is not None,
        "sent_back": sent_back(post) if post else [],
        "emoji": EMOJI,
        "snippets": list(Snippet.objects.filter(workspace=request.actor.workspace)),
        "has_composer": True,
        **assist_context(form),
    }
    return render(request, "campaigns/composer.html", context, status=_status(form))


def sent_back(post: Post) -> list[Delivery]:
    """What a reviewer wants to see changed, or nobody decided on: the reason is in `problem_text`."""
    rows = Delivery.objects.filter(post=post, state=Delivery.State.DRAFT, problem_code__in=TOLD)
    return list(rows.select_related("connection"))


@dataclass(frozen=True)
class Offer:
    at: str
    post_id: UUID
    changes: list[Change]
    is_older: bool


def _offer(kept: ComposerDraft, post: Post | None, actor: Actor) -> Offer:
    at = timezone.localtime(kept.updated_at, ZoneInfo(actor.workspace.time_zone))
    form = form_from(kept)
    before = _typed(form_of(post)) if post else ""
    return Offer(
        at=f"{at:%-d %B, %H:%M}",
        post_id=kept.post_id,
        changes=diff_words(before[:LONGEST_DIFF], _typed(form)[:LONGEST_DIFF]),
        is_older=bool(post and form.revision is not None and form.revision != post.revision),
    )


def _typed(form: PostForm) -> str:
    return "\n\n".join(part.text.strip() for part in form.parts)


def _status(form: PostForm) -> int:
    if {"stale", "closed"} & form.errors.keys():
        return 409
    return 422 if form.errors else 200


def composer_context(actor: Actor, form: PostForm, post: Post | None = None) -> dict[str, Any]:
    shown = list(Connection.objects.shown().filter(workspace=actor.workspace))
    chosen = [connection for connection in shown if connection.pk in form.connection_ids]
    assets = _assets(actor, form)
    rendered = [_rendered(form, connection, assets) for connection in chosen]
    previews = [_preview(form, one, connection, assets) for one, connection in zip(rendered, chosen, strict=True)]
    networks = {connection.network for connection in chosen}
    post = post or _saved(actor, form)
    guard = _findings(actor, form, [*zip(rendered, chosen, strict=True)], assets, post)
    return {
        "form": form,
        "saved": post,
        "connections": shown,
        "chosen": chosen,
        "networks": networks,
        "has_formatting": any(RULES[network].has_formatting for network in networks),
        "has_polls": any(RULES[network].has_polls for network in networks),
        "loses_formatting": not all(RULES[network].has_formatting for network in networks),
        "own_texts": {pk for part in form.parts for pk in part.overrides},
        "campaigns": visible_campaigns(actor).exclude(status=Campaign.Status.ARCHIVED),
        "parts": [_part(form, number, assets, previews, guard) for number in range(len(form.parts))],
        "guard": guard,
        "previews": previews,
        "costs": _costs(form, previews, actor),
        "no_room": say_room(actor.workspace, len(chosen), _planned_at(form, actor)),
        "reply_settings": REPLY_SETTINGS.items(),
        "relationships": Post.Relationship.choices,
        "link_previews": PREVIEWS.items(),
        "ends_in_album": len(form.parts[-1].media) > 1,
        "shorteners": list(SHORTENERS),
        "library": _library(actor, form) if form.library is not None else None,
        "may_plan": actor.can(Perm.PUBLISH),
        "may_add_part": len(form.parts) < MAX_PARTS,
    }


def matrix_of_form(actor: Actor, form: PostForm) -> Matrix:
    chosen = list(Connection.objects.shown().filter(workspace=actor.workspace, pk__in=form.connection_ids))
    assets = _assets(actor, form)
    rendered = [_rendered(form, connection, assets) for connection in chosen]
    media = [tuple(_rendered_media(part, assets)) for part in form.parts]
    anywhere = draft_of(render_for_anywhere(form, media), assets)
    post = unsaved_post(form, _campaign(actor, form), _saved(actor, form))
    drafts = drafts_of(rendered, assets) | {ANY: anywhere}
    return build_matrix(actor.workspace, post, drafts, gather_known(actor.workspace, rendered))


def _assets(actor: Actor, form: PostForm) -> dict[UUID, MediaAsset]:
    wanted = {item.asset_id for part in form.parts for item in part.media}
    return {asset.pk: asset for asset in visible_assets(actor).filter(pk__in=wanted)}


def _campaign(actor: Actor, form: PostForm) -> Campaign | None:
    return visible_campaigns(actor).filter(pk=form.campaign_id).first() if form.campaign_id else None


def _saved(actor: Actor, form: PostForm) -> Post | None:
    return visible_posts(actor).filter(pk=form.post_id).first() if form.post_id else None


# --- cost -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Costs:
    total: str
    lines: list[tuple[Connection, str]]
    left: list[str]
    is_too_much: bool


def _costs(form: PostForm, previews: list[Preview], actor: Actor) -> Costs | None:
    total = sum(preview.cost.total for preview in previews)
    if form.is_empty or not total:
        return None
    budgets = [("this month", month_budget(actor.workspace))]
    campaign = _campaign(actor, form)
    if campaign:
        budgets.append(("in this campaign", campaign_budget(campaign.pk, campaign.cap_micro)))
    remains = [(where, budget, left(actor.workspace, budget)) for where, budget in budgets]
    return Costs(
        total=dollars(total),
        lines=[(preview.connection, preview.total_cost) for preview in previews if preview.total_cost],
        left=[_left(where, budget, rest - total) for where, budget, rest in remains if rest is not None],
        is_too_much=any(rest is not None and rest < total for _where, _budget, rest in remains),
    )


def _planned_at(form: PostForm, actor: Actor) -> datetime | None:
    """None where no time is chosen, or none that can be read yet."""
    if form.when == "at":
        with suppress(ValidationError):
            return parse_local(form.at, actor.workspace.time_zone)
    return None


def _left(where: str, budget: Budget, rest: int) -> str:
    if rest < 0:
        return f"{dollars(-rest)} more than is left {where}"
    return f"leaves {dollars(rest)} of {dollars(budget.cap_micro or 0)} {where}"


# --- previews ---------------------------------------------------------------------------------------------


def _preview(form: PostForm, rendered: Rendered, connection: Connection, assets: dict[UUID, MediaAsset]) -> Preview:
    wrong = [*usable_options(form.options)[1], *(text for part in form.parts for text in usable_poll(part.poll)[1])]
    preview = build_preview(rendered, connection, assets)
    return replace(preview, problems=[*preview.problems, *dict.fromkeys(wrong)])


def _rendered(form: PostForm, connection: Connection, assets: dict[UUID, MediaAsset]) -> Rendered:
    parts = []
    for part in form.parts:
        poll, _wrong = usable_poll(part.poll)
        media = tuple(_rendered_media(part, assets))
        parts.append(render_part(connection, part.text_for(connection.pk), media, form.is_marked, poll))
    return Rendered(
        connection.pk,
        connection.network,
        connection.remote_id,
        tuple(parts),
        form.made_with_ai,
        usable_options(form.options)[0].get(connection.network, {}),
        form.reply_to.strip(),
    )


def _findings(
    actor: Actor,
    form: PostForm,
    rendered: list[tuple[Rendered, Connection]],
    assets: dict[UUID, MediaAsset],
    saved: Post | None,
) -> Findings:
    targets: list[tuple[Rendered, Connection | None]] = [*rendered]
    if not targets:
        media = [tuple(_rendered_media(part, assets)) for part in form.parts]
        targets = [(render_for_anywhere(form, media), None)]
    known = gather_known(actor.workspace, [one for one, _ in targets])
    return find_in_form(form, targets, assets, campaign=_campaign(actor, form), saved=saved, known=known)


def _rendered_media(part: PartField, assets: dict[UUID, MediaAsset]) -> list[RenderedMedia]:
    return [
        RenderedMedia(asset.pk, asset.sha256, asset.kind, item.alt_text)
        for item in part.media
        if (asset := assets.get(item.asset_id))
    ]


def _part(
    form: PostForm, number: int, assets: dict[UUID, MediaAsset], previews: list[Preview], guard: Findings
) -> Part:
    part = form.parts[number]
    return Part(
        field=part,
        texts=_texts(form, number),
        media=[(item, assets[item.asset_id]) for item in part.media if item.asset_id in assets],
        counters=[Counter(preview.connection, preview.parts[number]) for preview in previews],
        errors=form.errors.get(f"part-{number}", []),
        findings=guard.parts.get(number, []),
    )


def _texts(form: PostForm, number: int) -> list[Text]:
    part, name = form.parts[number], f"part-{number}"
    own = [
        Text(f"{name}-override-{pk}", part.overrides.get(pk, ""), part.text, is_open=form.tab == pk)
        for pk in form.connection_ids
    ]
    hint = "What do you want to say?" if number == 0 else "And then?"
    return [Text(f"{name}-text", part.text, hint, is_open=form.tab is None), *own]


def _library(actor: Actor, form: PostForm) -> list[MediaAsset]:
    return list(visible_assets(actor).filter(name__icontains=form.library_query)[:LIBRARY_PAGE])
