"""What becomes of an update: each kind has named handlers, of this app and of those above."""

from collections.abc import Callable

import structlog
from django.db import connection, transaction

from lib.clock import now
from social.models import InboundUpdate

# A handler runs inside the transaction that marks its update as handled, without any workspace's scope: it enters
# its own. What it has to say to Telegram goes out on commit. Higher apps add theirs in their apps.py.
UPDATE_HANDLERS: dict[str, list[Callable[[InboundUpdate], None]]] = {}
MAX_FAILURES = 3
LOCK_SPACE = 7_311
log = structlog.get_logger(__name__)


def handle_updates(bot_id: int) -> int:
    """Everything this bot has heard, in order. Another process at the same bot: nothing. Answers how many."""
    count = 0
    while _handle_next(bot_id):
        count += 1
    return count


def _handle_next(bot_id: int) -> bool:
    with transaction.atomic():
        if not _take_turn(bot_id):
            return False
        update = InboundUpdate.objects.filter(bot_id=bot_id, handled_at=None).order_by("id").first()
        if update is None:
            return False
        problem = _run(update)
        if problem:
            update.failures += 1
            update.problem = problem[:200]
        # Parked after the last try, so that one bad update does not hold up the others for ever.
        if not problem or update.failures >= MAX_FAILURES:
            update.handled_at = now()
        update.save(update_fields=["failures", "problem", "handled_at"])
    return update.handled_at is not None


def _take_turn(bot_id: int) -> bool:
    """One process per bot: a person's second message must not overtake the first."""
    with connection.cursor() as cursor:
        key = f"telegram updates {bot_id}"
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, key])
        return bool(cursor.fetchone()[0])


def _run(update: InboundUpdate) -> str:
    """What went wrong; empty when nothing did."""
    try:
        with transaction.atomic():
            for handler in UPDATE_HANDLERS.get(update.kind, []):
                handler(update)
    except Exception as error:
        log.exception("update_failed", bot=update.bot_id, update=update.update_id, kind=update.kind)
        return f"{type(error).__name__}: {error}"
    return ""
