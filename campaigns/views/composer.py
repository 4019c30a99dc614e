"""Writing a post: one form, its live preview, and the buttons that add, move and remove parts and files."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from campaigns import deliveries
from campaigns.access import get_post, visible_assets, visible_campaigns
from campaigns.errors import NotAllowedNow, StaleForm
from campaigns.forms_post import (
    MediaField,
    PartField,
    PostForm,
    apply_action,
    form_of,
    read_form,
    says_the_same,
    to_draft,
)
from campaigns.library import add_upload
from campaigns.models import Campaign, Delivery, MediaAsset, Post
from campaigns.previews import Preview, PreviewPart, build_preview
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart
from campaigns.services import create_post, update_post
from campaigns.wall_clock import gap_note, parse_local
from lib.ids import uuid7
from social.models import Connection
from social.networks.rules import MAX_PARTS, clean_text

SAVES = {"save", "submit"}
LIBRARY_PAGE = 60
# After these the browser keeps its text fields, with whatever was typed while the answer was on its way.
KEEPS_TEXTS = {"targets", "part-add", "library", "search", "upload", "media-add"}


@member_view(Perm.CONTENT_EDIT)
def post_new(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        return _save_once(request)
    if saved := _saved_before(request, request.GET):
        return redirect("campaigns:post-edit", saved.pk)
    return _page(request, _prefilled(request))


@member_view(Perm.CONTENT_EDIT)
def post_edit(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    if request.method == "POST":
        return _save(request, post)
    return _page(request, form_of(post), post)


@require_POST
@member_view(Perm.CONTENT_EDIT)
def composer_preview(request: MemberRequest) -> HttpResponse:
    """While typing: preview and counters. With a button's action: the whole form in its new shape."""
    form = _read(request)
    action = request.POST.get("action", "")
    apply_action(form, action)
    template = "campaigns/composer_body.html" if action else "campaigns/composer_typed.html"
    context = _context(request.actor, form) | {"keeps_texts": action.partition(":")[0] in KEEPS_TEXTS}
    response = render(request, template, context)
    if action == "part-add":
        response["HX-Trigger-After-Settle"] = json.dumps({"focusOn": context["parts"][-1].texts[0].name})
    return response


def _prefilled(request: HttpRequest) -> PostForm:
    """The calendar and the campaign page link here with what they know."""
    form = read_form(request.GET)
    form.new_id = form.new_id or uuid7()
    if "at" in request.GET:
        form.when = "at"
    return form


def _read(request: MemberRequest) -> PostForm:
    form = read_form(request.POST)
    _keep_uploads(form, request.FILES, request.actor)
    return form


def _keep_uploads(form: PostForm, files: MultiValueDict, actor: Actor) -> None:
    for number, part in enumerate(form.parts):
        for upload in files.getlist(f"part-{number}-files"):
            try:
                asset = add_upload(upload, by=actor)
            except ValidationError as error:
                form.errors.setdefault(f"part-{number}", []).extend(error.messages)
            else:
                if all(item.asset_id != asset.pk for item in part.media):
                    part.media.append(MediaField(asset.pk))


# --- saving -----------------------------------------------------------------------------------------------


def _save_once(request: MemberRequest) -> HttpResponse:
    try:
        return _save(request, _saved_before(request, request.POST))
    except IntegrityError:
        # The same form arrived twice at once, and the other was first.
        saved = _saved_before(request, request.POST)
        if saved is None:
            raise Http404("No such post.") from None
        return redirect(saved)


def _saved_before(request: MemberRequest, data: QueryDict) -> Post | None:
    """What this very form has made already: it was sent twice, or once more after the way back."""
    new_id = read_form(data).new_id
    own = Post.objects.filter(workspace=request.actor.workspace, created_by=request.actor.user)
    return own.filter(pk=new_id).first() if new_id else None


def _save(request: MemberRequest, post: Post | None) -> HttpResponse:
    form = _read(request)
    action = request.POST.get("action", "save")
    if action not in SAVES or form.errors:
        apply_action(form, action)
        return _page(request, form, post)
    try:
        with transaction.atomic():
            saved = _write(form, post, submit=action == "submit", by=request.actor)
    except ValidationError as error:
        form.add_errors(error)
    except StaleForm as error:
        form.errors["stale"] = [str(error)]
        # Saving again is then a decision, made after the warning.
        form.revision = Post.objects.values_list("revision", flat=True).get(pk=post.pk) if post else None
    except NotAllowedNow as error:
        form.errors["closed"] = [str(error)]
    else:
        if form.when == "at" and (note := gap_note(form.at, request.actor.workspace.time_zone)):
            messages.warning(request, note)
        messages.success(request, "Sent to review." if action == "submit" else "Saved.")
        return redirect(saved)
    return _page(request, form, post)


def _write(form: PostForm, post: Post | None, *, submit: bool, by: Actor) -> Post:
    draft = to_draft(form, _campaign(form, by))
    at = parse_local(form.at, by.workspace.time_zone) if form.when == "at" else None
    if post and form.new_id and form.revision is None and not says_the_same(form, post):
        raise StaleForm("This post was saved already. Save again to change it to what stands here.")
    post = (
        update_post(post, draft, by=by, revision=form.revision) if post else create_post(draft, by=by, pk=form.new_id)
    )
    for row in post.deliveries.exclude(state=Delivery.State.CANCELED):
        if at:
            deliveries.schedule_delivery(row, at, by=by)
        elif form.when == "slot":
            deliveries.add_to_next_slot(row, by=by)
    # An edit has sent what was reviewed before to review again by itself.
    if submit and (not form.connection_ids or post.deliveries.filter(state=Delivery.State.DRAFT).exists()):
        deliveries.submit_post(post, by=by)
    return post


def _campaign(form: PostForm, by: Actor) -> Campaign | None:
    if form.campaign_id is None:
        return None
    campaign = visible_campaigns(by).filter(pk=form.campaign_id).first()
    if campaign is None:
        raise ValidationError({"campaign": "This campaign does not exist any more."})
    return campaign


# --- showing ----------------------------------------------------------------------------------------------


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


def _page(request: MemberRequest, form: PostForm, post: Post | None = None) -> HttpResponse:
    context = _context(request.actor, form) | {"post": post}
    return render(request, "campaigns/composer.html", context, status=_status(form))


def _status(form: PostForm) -> int:
    if {"stale", "closed"} & form.errors.keys():
        return 409
    return 422 if form.errors else 200


def _context(actor: Actor, form: PostForm) -> dict[str, Any]:
    shown = list(Connection.objects.shown().filter(workspace=actor.workspace))
    chosen = [connection for connection in shown if connection.pk in form.connection_ids]
    wanted = {item.asset_id for part in form.parts for item in part.media}
    assets = {asset.pk: asset for asset in visible_assets(actor).filter(pk__in=wanted)}
    previews = [_preview(form, connection, assets) for connection in chosen]
    return {
        "form": form,
        "connections": shown,
        "chosen": chosen,
        "own_texts": {pk for part in form.parts for pk in part.overrides},
        "campaigns": visible_campaigns(actor).exclude(status=Campaign.Status.ARCHIVED),
        "parts": [_part(form, number, assets, previews) for number in range(len(form.parts))],
        "previews": previews,
        "library": _library(actor, form) if form.library is not None else None,
        "may_plan": actor.can(Perm.PUBLISH),
        "may_add_part": len(form.parts) < MAX_PARTS,
    }


def _preview(form: PostForm, connection: Connection, assets: dict[UUID, MediaAsset]) -> Preview:
    parts = tuple(
        RenderedPart(clean_text(part.text_for(connection.pk)), tuple(_rendered_media(part, assets)))
        for part in form.parts
    )
    rendered = Rendered(connection.pk, connection.network, connection.remote_id, parts, form.made_with_ai)
    return build_preview(rendered, connection, assets)


def _rendered_media(part: PartField, assets: dict[UUID, MediaAsset]) -> list[RenderedMedia]:
    return [
        RenderedMedia(asset.pk, asset.sha256, asset.kind, item.alt_text)
        for item in part.media
        if (asset := assets.get(item.asset_id))
    ]


def _part(form: PostForm, number: int, assets: dict[UUID, MediaAsset], previews: list[Preview]) -> Part:
    part = form.parts[number]
    return Part(
        field=part,
        texts=_texts(form, number),
        media=[(item, assets[item.asset_id]) for item in part.media if item.asset_id in assets],
        counters=[Counter(preview.connection, preview.parts[number]) for preview in previews],
        errors=form.errors.get(f"part-{number}", []),
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
