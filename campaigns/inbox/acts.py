"""What people do in the inbox. What goes out is a post like every other: reviewed, approved, sent once."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Membership, Role
from agents.models import Run
from agents.runs.services import start_run
from agents.safety.gate import Bounds, check_output
from campaigns.deliveries import submit_post
from campaigns.drafts import PartDraft, PostDraft
from campaigns.models import Conversation, InboxMessage, Post
from campaigns.services import create_post
from lib.clock import now
from lib.text import storable
from social.models import Network

MAX_REPLY = 4_000
FILTERS = ("open", "done", "mine", "unassigned", "unread", "negative")
CHANNELS = {"mention": "mention", "comment": "comment", "direct": "dm"}
ONLY_READ = "Answers from here go out on X only, for now. Copy the draft, and answer in Telegram."
NOT_ASKED = "They have not mentioned or quoted this account there, and X forbids answers nobody asked for."
# A person may link, name and count as they like; these are never meant.
LEAKS = {"canary", "hidden", "markup", "personal_data", "code"}
OPTED_OUT = "They asked to be left alone."


def visible_conversations(by: Actor) -> QuerySet[Conversation]:
    by.require(Perm.VIEW)
    return Conversation.objects.filter(workspace=by.workspace).select_related("connection", "assigned_to")


def find_conversations(by: Actor, *, wanted: str = "open", connection: UUID | None = None, words: str = "") -> Any:
    rows = visible_conversations(by)
    rows = rows.filter(status="done" if wanted == "done" else "open")
    if wanted == "mine":
        rows = rows.filter(assigned_to=by.user)
    elif wanted == "unassigned":
        rows = rows.filter(assigned_to=None)
    elif wanted == "unread":
        rows = rows.filter(is_unread=True)
    elif wanted == "negative":
        rows = rows.filter(sentiment__lt=-0.2)
    if connection:
        rows = rows.filter(connection=connection)
    for word in words.split()[:6]:
        texts = Q(messages__text__icontains=word)
        rows = rows.filter(texts | Q(author_name__icontains=word) | Q(author_handle__icontains=word))
    return rows.distinct()


def get_conversation(by: Actor, conversation_id: UUID) -> Conversation:
    talk = visible_conversations(by).filter(pk=conversation_id).first()
    if talk is None:
        raise Http404
    return talk


def mark_read(talk: Conversation) -> None:
    Conversation.objects.filter(pk=talk.pk, is_unread=True).update(is_unread=False)
    talk.is_unread = False


def set_done(talk: Conversation, is_done: bool, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    status = Conversation.Status.DONE if is_done else Conversation.Status.OPEN
    Conversation.objects.filter(pk=talk.pk).update(status=status, is_unread=False)
    talk.status = status


def assign(talk: Conversation, user_id: UUID | None, *, by: Actor) -> None:
    """To a member who may answer; None takes the assignment back."""
    by.require(Perm.CONTENT_EDIT)
    if user_id and not people_who_answer(by).filter(user_id=user_id).exists():
        raise ValidationError({"person": "Choose somebody of this workspace who may write."})
    Conversation.objects.filter(pk=talk.pk).update(assigned_to=user_id)
    talk.assigned_to_id = user_id


def people_who_answer(by: Actor) -> QuerySet[Membership]:
    writers = [Role.OWNER, Role.ADMIN, Role.EDITOR]
    return Membership.objects.select_related("user").filter(workspace=by.workspace, role__in=writers)


# --- drafts and answers -------------------------------------------------------------------------------------


def ask_for_draft(message: InboxMessage, *, by: Actor) -> Run:
    """A run of the social workflow: it reads the message in closed words and drafts from our own material."""
    by.require(Perm.CONTENT_EDIT)
    talk = message.conversation
    if message.is_ours:
        raise ValidationError("That is your own message.")
    data = {
        "kind": "reply",
        "text": message.text,
        "channel": CHANNELS[talk.kind],
        "network": talk.connection.network,
        "author": talk.author_handle or talk.author_name,
        "author_id": talk.author_id,
        "conversation": talk.remote_id,
        "reference": str(message.pk),
    }
    with transaction.atomic():
        # One answer for one message: asked again, it is the same run.
        run = start_run("social", data, by=by, idem_key=f"inbox:{message.pk}")
        InboxMessage.objects.filter(pk=message.pk).update(draft={"run": str(run.pk)})
    return run


def draft_of(message: InboxMessage) -> dict[str, Any] | None:
    """{run, status, text, decision, reasons, reading} of what was asked for; None where nothing was."""
    asked = message.draft or {}
    run = Run.objects.filter(pk=asked["run"]).first() if asked.get("run") else None
    if run is None:
        return None
    outcome = next((step.output for step in run.steps.filter(key="outcome")), None) or {}
    return {
        "run": run,
        "is_ready": bool(outcome) or run.is_ended,
        "text": outcome.get("draft", ""),
        "decision": outcome.get("decision", ""),
        "route": outcome.get("route", ""),
        "reasons": outcome.get("reasons", []),
        "is_sandbox": outcome.get("provenance", {}).get("is_sandbox", False),
        "error": (run.error or {}).get("message", "") if run.is_ended else "",
    }


def take_over(message: InboxMessage) -> None:
    """What the reader found about the message, onto its conversation. Only closed words come over."""
    reading = next(
        (
            (step.output or {}).get("data")
            for step in Run.objects.get(pk=(message.draft or {})["run"]).steps.filter(key="read")
        ),
        None,
    )
    if not isinstance(reading, dict):
        return
    sentiment, intent = reading.get("sentiment"), str(reading.get("intent", ""))[:20]
    Conversation.objects.filter(pk=message.conversation_id).update(
        sentiment=sentiment if isinstance(sentiment, (int, float)) else None,
        intent=intent,
        **({"has_opted_out": True} if intent == "opt_out" else {}),
    )


def _refuse_leaks(text: str, message: InboxMessage) -> None:
    """The gate of drafts, once more: what came of a stranger's words may have been edited since."""
    findings = check_output(text, Bounds(network=message.connection.network, author=message.conversation.author_handle))
    if leaks := [finding.text for finding in findings if finding.code in LEAKS]:
        raise ValidationError(leaks)


def message_to_answer(talk: Conversation, message_id: UUID | None) -> InboxMessage:
    """The named one of theirs, or their last."""
    theirs = talk.messages.select_related("conversation__connection").filter(is_ours=False)
    message = (theirs.filter(pk=message_id) if message_id else theirs.order_by("-sent_at", "-id")).first()
    if message is None:
        raise Http404
    return message


def why_no_reply(message: InboxMessage) -> str:
    """Why an answer to this message cannot be sent; empty where it can."""
    talk = message.conversation
    if talk.has_opted_out:
        return OPTED_OUT
    if talk.connection.network != Network.X:
        return ONLY_READ
    return "" if message.is_summons else NOT_ASKED


def reply(message: InboxMessage, text: str, *, by: Actor, is_agent_text: bool = False) -> Post:
    """Write the answer and send it into review. It goes out once somebody approved it. Raises ValidationError."""
    by.require(Perm.CONTENT_EDIT)
    if problem := why_no_reply(message):
        raise ValidationError(problem)
    text = storable(text).strip()
    if not text:
        raise ValidationError({"text": "Write the answer first."})
    if len(text) > MAX_REPLY:
        raise ValidationError({"text": f"At most {MAX_REPLY:,} characters."})
    talk = message.conversation
    if is_agent_text:
        _refuse_leaks(text, message)
    draft = PostDraft(
        parts=(PartDraft(text=text),),
        title=f"Answer to {talk}"[:200],
        connections=(talk.connection_id,),
        reply_to=message.remote_id,
    )
    with transaction.atomic():
        # The database keeps one answer for each message, whoever is faster.
        ours = InboxMessage(
            workspace=by.workspace,
            conversation=talk,
            connection_id=talk.connection_id,
            remote_id=f"reply:{message.pk}",
            is_ours=True,
            text=text,
        )
        InboxMessage.objects.bulk_create([ours], ignore_conflicts=True)
        if not InboxMessage.objects.filter(pk=ours.pk).exists():
            raise ValidationError("This message has an answer already.")
        post = create_post(draft, by=by, has_agent_text=is_agent_text)
        # X told us when we read the mention; asking again would be paid again.
        facts = {"connection": str(talk.connection_id), "is_summoned": True, "author": talk.author_handle}
        facts |= {"text": message.text[:300], "checked_at": now().isoformat()}
        Post.objects.filter(pk=post.pk).update(reply_facts=facts)
        post.reply_facts = facts
        [delivery] = submit_post(post, by=by)
        InboxMessage.objects.filter(pk=ours.pk).update(delivery=delivery)
        audit.record("inbox.reply", post, by=by, conversation=str(talk.pk))
    return post
