"""Hearing the bots: one receiver per bot, on a lease, by polling or by webhook. Every update is kept once."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.crypto import constant_time_compare, salted_hmac

from lib.clock import now
from lib.text import storable
from social.models import BotReceiver, InboundUpdate
from social.networks.port import Failure, NetworkError
from social.networks.telegram import api
from social.telegram import bots, rights

KINDS = ["message", "channel_post", "callback_query", "my_chat_member", "chat_member", "message_reaction_count"]
LEASE = timedelta(seconds=60)
# A bot that said nothing at its last call is asked this much later.
IDLE = timedelta(seconds=10)
# With webhooks: how often it is checked that Telegram still has our address.
RECHECK = timedelta(hours=1)
BATCH = 100
MAX_BATCHES = 10
# Of one round; other workers take their rounds meanwhile.
MAX_BOTS = 50
# After a week of silence Telegram numbers afresh, perhaps lower: then only an offset of 0 hears everything.
NUMBERING_LASTS = timedelta(days=6)
KEPT = timedelta(days=7)
BOT_ENDED = "Telegram does not take this bot's token any more. Add the bot again with its new token."


def ensure_instance_receiver() -> None:
    """The instance's bot follows the settings."""
    bot_id = bots.instance_bot_id()
    BotReceiver.objects.filter(workspace_id=None).exclude(bot_id=bot_id or 0).delete()
    if bot_id:
        BotReceiver.objects.get_or_create(bot_id=bot_id, defaults={"workspace_id": None})


def receive_all() -> None:
    """One round: every bot that is due and that nobody else holds, one after the other."""
    ensure_instance_receiver()
    seen: list[int] = []
    while len(seen) < MAX_BOTS and (receiver := claim_next(seen)):
        seen.append(receiver.bot_id)
        receive(receiver)


def claim_next(seen: Collection[int] = ()) -> BotReceiver | None:
    """Take the lease of the bot that has waited longest."""
    wait = RECHECK if settings.TELEGRAM_WEBHOOKS else IDLE
    with transaction.atomic():
        free = BotReceiver.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now())).exclude(pk__in=seen)
        due = free.filter(_is_shared() | Q(polled_at=None) | Q(polled_at__lt=now() - wait))
        row = (
            due.select_for_update(no_key=True, skip_locked=True).order_by(F("polled_at").asc(nulls_first=True)).first()
        )
        if row:
            row.lease_until = now() + LEASE
            row.save(update_fields=["lease_until"])
    return row


def _is_shared() -> Q:
    """The instance's bot serves everybody: it is asked each time, while it is well."""
    return Q(pk__in=[]) if settings.TELEGRAM_WEBHOOKS else Q(workspace_id=None, problem="")


def wake(bot_id: int) -> None:
    """Somebody waits for this bot: ask it at the next tick."""
    BotReceiver.objects.filter(bot_id=bot_id).exclude(polled_at=None).update(polled_at=None)


def receive(receiver: BotReceiver) -> int:
    """Hear one bot whose lease we hold, and give the lease back. Answers how many updates were new."""
    heard, problem, rests_until = 0, "", None
    try:
        token = bots.token_of(receiver)
        if token:
            heard = _hear(receiver, token)
    except NetworkError as error:
        problem, rests_until = error.message, error.retry_at
        if error.failure is Failure.UNAUTHORIZED:
            problem = BOT_ENDED
            _stop_connections(receiver)
    mine = BotReceiver.objects.filter(pk=receiver.pk, lease_until=receiver.lease_until)
    mine.update(lease_until=rests_until, polled_at=None if heard else now(), problem=problem[:200])
    return heard


def _hear(receiver: BotReceiver, token: str) -> int:
    _learn_name(receiver, token)
    if settings.TELEGRAM_WEBHOOKS:
        _set_webhook(receiver, token)
        return 0
    if receiver.webhook_secret_hash:
        _unset_webhook(receiver, token)
    return _poll(receiver, token)


def _learn_name(receiver: BotReceiver, token: str) -> None:
    if not receiver.username:
        username = api.get_me(token).username
        BotReceiver.objects.filter(pk=receiver.pk).update(username=username)


def _stop_connections(receiver: BotReceiver) -> None:
    rights.stop_connections(bots.app_key(receiver.bot_id), BOT_ENDED)


# --- polling ------------------------------------------------------------------------------------------------


def _poll(receiver: BotReceiver, token: str) -> int:
    heard, offset = 0, _first_offset(receiver)
    for _ in range(MAX_BATCHES):
        updates = api.get_updates(token, offset=offset, limit=BATCH, allowed_updates=KINDS)
        if not updates:
            break
        offset = append_polled(receiver, updates)
        heard += len(updates)
        if len(updates) < BATCH:
            break
    return heard


def _first_offset(receiver: BotReceiver) -> int:
    recent = InboundUpdate.objects.filter(bot_id=receiver.bot_id, received_at__gt=now() - NUMBERING_LASTS)
    return receiver.next_update if recent.exists() else 0


def append_polled(receiver: BotReceiver, updates: list[dict[str, Any]]) -> int:
    """Keep the updates and move on, both or neither: whoever dies before the commit is told the same again."""
    following = int(max(update["update_id"] for update in updates)) + 1
    with transaction.atomic():
        append_updates(receiver.bot_id, updates)
        # Somebody else's lease now: they know better how far it is.
        BotReceiver.objects.filter(pk=receiver.pk, lease_until=receiver.lease_until).update(next_update=following)
    return following


def append_updates(bot_id: int, updates: Iterable[Mapping[str, Any]]) -> None:
    """Keep each update once, however often Telegram sends it."""
    from social import tasks

    rows = [
        InboundUpdate(
            bot_id=bot_id, update_id=update["update_id"], kind=kind_of(update)[:40], payload=_storable(update)
        )
        for update in updates
    ]
    InboundUpdate.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(partial(tasks.handle_updates.delay, bot_id))


def _storable(value: Any) -> Any:
    """Without the characters that Postgres refuses: one of them would hold up everything behind it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(name): _storable(part) for name, part in value.items()}
    return [_storable(part) for part in value] if isinstance(value, list) else value


def kind_of(update: Mapping[str, Any]) -> str:
    return next((name for name in update if name != "update_id"), "")


def bots_with_work() -> list[int]:
    """Whose updates wait to be handled: a lost message must not leave them lying."""
    waiting = InboundUpdate.objects.filter(handled_at=None).order_by()
    return list(waiting.values_list("bot_id", flat=True).distinct())


def forget_updates() -> None:
    InboundUpdate.objects.filter(handled_at__lt=now() - KEPT).delete()


# --- webhooks -----------------------------------------------------------------------------------------------


def webhook_url(bot_id: int) -> str:
    return f"{settings.BASE_URL}/hooks/telegram/{bot_id}"


def webhook_secret(bot_id: int) -> str:
    """Another address or SECRET_KEY makes another secret, so that the webhook is set again."""
    return salted_hmac("telegram-webhook", webhook_url(bot_id), algorithm="sha256").hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _set_webhook(receiver: BotReceiver, token: str) -> None:
    secret = webhook_secret(receiver.bot_id)
    if receiver.webhook_secret_hash == _hash(secret):
        return
    # Known before Telegram uses it; forgotten again when Telegram refuses.
    BotReceiver.objects.filter(pk=receiver.pk).update(webhook_secret_hash=_hash(secret))
    try:
        api.set_webhook(token, url=webhook_url(receiver.bot_id), secret_token=secret, allowed_updates=KINDS)
    except NetworkError:
        BotReceiver.objects.filter(pk=receiver.pk).update(webhook_secret_hash="")
        raise


def _unset_webhook(receiver: BotReceiver, token: str) -> None:
    api.delete_webhook(token)
    BotReceiver.objects.filter(pk=receiver.pk).update(webhook_secret_hash="")


def is_call_of(bot_id: int, secret: str) -> bool:
    """Whether a webhook call carries the secret that this bot's calls must carry."""
    receiver = BotReceiver.objects.filter(bot_id=bot_id).exclude(webhook_secret_hash="").first()
    # Compared in any case, so that an unknown bot takes as long as a wrong secret.
    wanted = receiver.webhook_secret_hash if receiver else _hash("")
    return constant_time_compare(_hash(secret), wanted) and receiver is not None
