"""Decisions made in a private chat with the bot: a pressed button, or the reason written in answer to a rejection.

Only the member who was asked can answer, with the rights they have at that moment, and only for what they were shown.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.access import Actor, actor_for
from accounts.models import Membership
from accounts.scope import all_workspaces_scope, resolver_scope, workspace_scope
from campaigns.models import ReviewPrompt
from campaigns.telegram_prompts import APPROVE, DATA, REJECT, WHY, Prompt, explain, load_prompt
from compliance.models import Review
from compliance.services import ReviewClosed, approve_review, reject_review
from lib.clock import now
from social.models import InboundUpdate, TelegramLink
from social.networks.port import NetworkError
from social.networks.telegram import api
from social.telegram import bots

log = structlog.get_logger(__name__)
NOT_YOURS = "This was not sent to you, or your Telegram account is no longer linked."
GONE = "This is no longer waiting."
ASK_REASON = "Why? Answer this message: the author will read it."


def hear_press(update: InboundUpdate) -> None:
    """callback_query: a button below one of our questions."""
    query = update.content
    prefix, _, rest = str(query.get("data") or "").partition(":")
    action, _, token = rest.partition(":")
    if prefix != DATA or action not in ACTIONS:
        return
    answer = _decide(update.bot_id, query, action, token)
    _later(_answer, update.bot_id, query["id"], answer)


def _decide(bot_id: int, query: dict[str, Any], action: str, token: str) -> str:
    with resolver_scope(token):
        row = ReviewPrompt.objects.filter(token=token, bot_id=bot_id).first()
    if row is None or not _is_from(row, query["from"]["id"]):
        return NOT_YOURS
    with workspace_scope(row.workspace_id):
        actor = _actor(row)
        prompt = load_prompt(row) if actor else None
        if actor is None or prompt is None:
            return GONE
        try:
            with transaction.atomic():
                return ACTIONS[action](prompt, actor)
        except ValidationError as error:
            # A rule forbids it now.
            return " ".join(error.messages)
        except (ReviewClosed, PermissionDenied) as refusal:
            return str(refusal) or GONE


def _approve(prompt: Prompt, actor: Actor) -> str:
    approve_review(prompt.review, by=actor, seen_hash=prompt.row.action_hash)
    _mark(prompt, f"Approved by {actor.label}.")
    return "Approved."


def _ask_reason(prompt: Prompt, actor: Actor) -> str:
    if prompt.review.status != Review.Status.WAITING:
        raise ReviewClosed(GONE)
    _tell(prompt.row, ASK_REASON, asks_answer=True)
    return "Say why, so that the author knows what to change."


def _explain(prompt: Prompt, actor: Actor) -> str:
    _tell(prompt.row, explain(prompt))
    return ""


ACTIONS: dict[str, Callable[[Prompt, Actor], str]] = {APPROVE: _approve, REJECT: _ask_reason, WHY: _explain}


def hear_reason(update: InboundUpdate) -> None:
    """message: an answer to the question why something is rejected."""
    message = update.content
    asked = (message.get("reply_to_message") or {}).get("message_id")
    if message["chat"]["type"] != "private" or not asked:
        return
    # Whose it is turns out only here: a chat with the bot belongs to a person, not to a workspace.
    with all_workspaces_scope("find the question that a message answers"):
        rows = ReviewPrompt.objects.filter(chat_id=message["chat"]["id"], bot_id=update.bot_id)
        row = rows.filter(reason_message_id=asked).first()
    if row is None or not _is_from(row, message["from"]["id"]):
        return
    _tell(row, _reject(row, message.get("text") or ""))


def _reject(row: ReviewPrompt, reason: str) -> str:
    with workspace_scope(row.workspace_id):
        actor = _actor(row)
        prompt = load_prompt(row) if actor else None
        if actor is None or prompt is None:
            return GONE
        if prompt.review.action_hash != row.action_hash:
            return GONE
        try:
            with transaction.atomic():
                reject_review(prompt.review, by=actor, reason=reason)
        except ValidationError as error:
            return " ".join(error.messages)
        except (ReviewClosed, PermissionDenied) as refusal:
            return str(refusal) or GONE
        _mark(prompt, f"Rejected by {actor.label}.")
    return "Rejected. The author has your reason."


def _is_from(row: ReviewPrompt, telegram_user_id: int) -> bool:
    return TelegramLink.objects.filter(user=row.user_id, telegram_user_id=telegram_user_id).exists()


def _actor(row: ReviewPrompt) -> Actor | None:
    """As a member with the rights of this moment; None for somebody who has left."""
    members = Membership.objects.select_related("user", "workspace")
    member = members.filter(user=row.user_id, workspace=row.workspace_id, user__is_active=True).first()
    return None if member is None or member.workspace.is_suspended else actor_for(member)


def _mark(prompt: Prompt, text: str) -> None:
    ReviewPrompt.objects.filter(pk=prompt.row.pk).update(answered_at=now())
    if prompt.row.message_id:
        _later(_close_question, prompt.row, f"“{prompt.delivery.post}” for {prompt.delivery.connection}: {text}")


# --- what Telegram is told, after the commit ----------------------------------------------------------------


def _later(act: Callable[..., None], *arguments: Any) -> None:
    transaction.on_commit(partial(act, *arguments), robust=True)


def _answer(bot_id: int, query_id: str, text: str) -> None:
    _try(api.answer_callback, bots.token_for(bot_id), query_id, text[:200])


def _close_question(row: ReviewPrompt, text: str) -> None:
    _try(api.edit_text, bots.token_for(row.bot_id), row.chat_id, row.message_id, text)


def _tell(row: ReviewPrompt, text: str, *, asks_answer: bool = False) -> None:
    """In a task: Telegram may want a pause first."""
    from campaigns.tasks import tell_reviewer

    _later(partial(tell_reviewer.delay, str(row.workspace_id), str(row.pk), text, asks_answer))


def tell_reviewer(workspace_id: UUID, prompt_id: UUID, text: str, *, asks_answer: bool) -> None:
    """A message in the chat of one prompt. Call it outside a transaction. Raises NetworkError."""
    with workspace_scope(workspace_id):
        row = ReviewPrompt.objects.get(pk=prompt_id)
    sent = api.send_text(bots.token_for(row.bot_id), row.chat_id, text, asks_answer=asks_answer)
    if asks_answer:
        with workspace_scope(workspace_id):
            ReviewPrompt.objects.filter(pk=prompt_id).update(reason_message_id=sent.id)


def _try(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Best effort: the decision stands, whether or not the chat shows it."""
    try:
        return call(*arguments, **options)
    except NetworkError as error:
        log.info("chat_not_told", code=error.code)
        return None
