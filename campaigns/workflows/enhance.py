"""Texts that came out of a folder or a feed, written as the brand speaks: drafts that say where they come from."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from accounts.access import Actor
from agents.runs.errors import RunFailed
from agents.runs.flow import Flow
from agents.runs.services import start_run
from campaigns.deliveries import submit_post
from campaigns.draft_checks import LANGUAGES, Place
from campaigns.drafts import PostDraft
from campaigns.errors import NotAllowedNow
from campaigns.forms_post import form_of, to_draft
from campaigns.models import Delivery, Post
from campaigns.origins import keep_origin, offered
from campaigns.services import update_post
from campaigns.source_config import read_config
from campaigns.workflows.material import gather_material, order_for
from campaigns.workflows.writing import report_writing, write_text

Data = dict[str, Any]
ENHANCE = "enhance"
CHANGED = "Somebody changed the post meanwhile."
State = Delivery.State
NOBODY = ("not_enhanced", "Not improved: the person who added this source is gone, and agents act for a person.")


def start_enhancing(post: Post, *, by: Actor) -> list[tuple[str, str]]:
    """Let the writer work on a fresh draft of a source. Why not, as notes beside the file."""
    if by.user is None:
        return [NOBODY]
    try:
        key = f"enhance:{post.pk}:{post.revision}"
        sent = {"post": str(post.pk), "revision": post.revision}
        start_run(ENHANCE, sent, by=by, campaign_id=post.campaign_id, idem_key=key)
    except ValidationError as refusal:
        return [("not_enhanced", f"Not improved: {' '.join(refusal.messages)}")]
    return []


def run_enhance(flow: Flow) -> Data:
    post_id, revision = UUID(flow.input["post"]), flow.input["revision"]
    facts = flow.step("facts", lambda: _facts(flow, post_id), kind="memory", agent="memory")
    if facts["revision"] != revision or not facts["text"].strip():
        return {"post": str(post_id), "unchanged": CHANGED if facts["text"].strip() else "There is no text to improve."}
    report_writing(flow, facts["order"])
    written = write_text(flow, "text", facts, facts["order"])
    done = flow.act(
        "save",
        tool="update_post",
        args={"post": str(post_id), "revision": revision, "text": written["text"]},
        do=lambda: _save(post_id, revision, written, flow.by),
    )
    return {"post": str(post_id), **done}


def _facts(flow: Flow, post_id: UUID) -> Data:
    with flow.scope():
        post = Post.objects.select_related("campaign", "source").get(pk=post_id)
        text = post.parts.values_list("text", flat=True).first() or ""
        facts = gather_material(flow.run.workspace, None, text, post.campaign)
        language = post.language if post.language in LANGUAGES else "en"
        order = order_for(_place(post), language, wish="Say this as the brand speaks; keep what it states.")
        return facts | {"order": order, "text": text, "revision": post.revision}


def _place(post: Post) -> Place:
    """The account with the least room decides for all."""
    rows = Delivery.objects.filter(post=post).select_related("connection")
    places = [Place(row.connection) for row in rows]
    return min(places, key=lambda place: place.limit, default=Place())


def _save(post_id: UUID, revision: int, written: Data, by: Actor) -> Data:
    """Only while it is the draft that was made: what a person changed meanwhile stays theirs."""
    post = Post.objects.select_related("campaign", "source").get(pk=post_id)
    states = set(Delivery.objects.filter(post=post).values_list("state", flat=True))
    if post.revision != revision or states - {State.DRAFT, State.CANCELED}:
        return {"unchanged": CHANGED}
    draft = _with_text(to_draft(form_of(post), post.campaign), written["text"])
    try:
        post = update_post(post, draft, by=replace(by, is_agent=True), revision=revision)
    except NotAllowedNow as refusal:
        raise RunFailed("not_allowed_now", str(refusal)) from refusal
    keep_origin(post, written["origin"], offered(written["text"]), by=by)
    return {"submitted": _submit(post, states, by)}


def _with_text(draft: PostDraft, text: str) -> PostDraft:
    first, *rest = draft.parts
    return replace(draft, parts=(replace(first, text=text), *rest))


def _submit(post: Post, states: set[str], by: Actor) -> bool:
    """Where the source wants that; it waited for the better text."""
    if State.DRAFT not in states or not (post.source and read_config(post.source.config).submit):
        return False
    try:
        submit_post(post, by=replace(by, is_agent=True))
    except (ValidationError, NotAllowedNow):
        # The draft stays, with its findings, for people.
        return False
    return True
