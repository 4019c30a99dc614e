"""Writing a post: one form, its live preview, and the buttons that add, move and remove parts and files."""

import json
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
from campaigns.access import get_post, visible_campaigns
from campaigns.autosave import draft_for, drop_draft, form_from, newest_new_draft
from campaigns.deliveries.loading import lock_accounts
from campaigns.errors import NotAllowedNow, StaleForm
from campaigns.forms_post import (
    MediaField,
    PostForm,
    apply_action,
    form_of,
    read_form,
    says_the_same,
    to_draft,
)
from campaigns.library import add_upload
from campaigns.models import Campaign, ComposerDraft, Delivery, Post
from campaigns.origins import Pick, keep_drafts, read_picks, used_drafts
from campaigns.services import create_post, update_post
from campaigns.views.composer_page import composer_context, show_composer
from campaigns.wall_clock import gap_note, parse_local
from lib.ids import uuid7

SAVES = {"save", "submit"}
# After these the browser keeps its text fields, with whatever was typed while the answer was on its way.
KEEPS_TEXTS = {"targets", "part-add", "library", "search", "upload", "media-add"}


@member_view(Perm.CONTENT_EDIT)
def post_new(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        return _save_once(request)
    if saved := _saved_before(request, request.GET):
        return redirect("campaigns:post-edit", saved.pk)
    offered = newest_new_draft(request.actor)
    if offered and _continues(request):
        return show_composer(request, _continued(offered), kept=offered)
    return show_composer(request, _prefilled(request), offered=offered)


@member_view(Perm.CONTENT_EDIT)
def post_edit(request: MemberRequest, post_id: UUID) -> HttpResponse:
    post = get_post(request.actor, post_id)
    if request.method == "POST":
        return _save(request, post)
    offered = draft_for(request.actor, post.pk)
    if offered and _continues(request):
        return show_composer(request, _continued(offered), post, kept=offered)
    form = form_of(post)
    if offered and says_the_same(form_from(offered), post):
        offered = None
    return show_composer(request, form, post, offered=offered)


def _continues(request: MemberRequest) -> bool:
    return request.GET.get("draft") == "continue"


def _continued(kept: ComposerDraft) -> PostForm:
    form = form_from(kept)
    if form.revision is None:
        form.new_id = kept.post_id
    return form


@require_POST
@member_view(Perm.CONTENT_EDIT)
def composer_preview(request: MemberRequest) -> HttpResponse:
    """While typing: preview and counters. With a button's action: the whole form in its new shape."""
    form = _read(request)
    action = request.POST.get("action", "")
    apply_action(form, action)
    template = "campaigns/composer_body.html" if action else "campaigns/composer_typed.html"
    context = composer_context(request.actor, form) | {"keeps_texts": action.partition(":")[0] in KEEPS_TEXTS}
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
        return show_composer(request, form, post)
    try:
        with transaction.atomic():
            saved = _write(form, post, submit=action == "submit", by=request.actor, picks=read_picks(request.POST))
    except ValidationError as error:
        form.add_errors(error)
    except StaleForm as error:
        form.errors["stale"] = [str(error)]
        # Saving again is then a decision, made after the warning.
        form.revision = Post.objects.values_list("revision", flat=True).get(pk=post.pk) if post else None
    except NotAllowedNow as error:
        form.errors["closed"] = [str(error)]
    else:
        drop_draft(request.actor, saved.pk)
        if form.when == "at" and (note := gap_note(form.at, request.actor.workspace.time_zone)):
            messages.warning(request, note)
        messages.success(request, "Sent to review." if action == "submit" else "Saved.")
        return redirect(saved)
    return show_composer(request, form, post)


def _write(form: PostForm, post: Post | None, *, submit: bool, by: Actor, picks: list[Pick]) -> Post:
    draft = to_draft(form, _campaign(form, by))
    drafts = used_drafts(_words(form), picks, by=by)
    at = parse_local(form.at, by.workspace.time_zone) if form.when == "at" else None
    if post and form.new_id and form.revision is None and not says_the_same(form, post):
        raise StaleForm("This post was saved already. Save again to change it to what stands here.")
    lock_accounts(draft.connections)
    if drafts and post:
        # The label goes with the words, before anything is judged.
        Post.objects.filter(pk=post.pk).update(has_agent_text=True)
    post = (
        update_post(post, draft, by=by, revision=form.revision)
        if post
        else create_post(draft, by=by, pk=form.new_id, has_agent_text=bool(drafts))
    )
    keep_drafts(post, drafts, by=by)
    for row in post.deliveries.exclude(state=Delivery.State.CANCELED):
        if at:
            deliveries.schedule_delivery(row, at, by=by)
        elif form.when == "slot":
            deliveries.add_to_next_slot(row, by=by)
    # An edit has sent what was reviewed before to review again by itself.
    if submit and (not form.connection_ids or post.deliveries.filter(state=Delivery.State.DRAFT).exists()):
        deliveries.submit_post(post, by=by)
    return post


def _words(form: PostForm) -> str:
    return "\n".join(text for part in form.parts for text in (part.text, *part.overrides.values()))


def _campaign(form: PostForm, by: Actor) -> Campaign | None:
    if form.campaign_id is None:
        return None
    campaign = visible_campaigns(by).filter(pk=form.campaign_id).first()
    if campaign is None:
        raise ValidationError({"campaign": "This campaign does not exist any more."})
    return campaign
