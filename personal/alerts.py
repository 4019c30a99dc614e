"""A price that moved by more than somebody allowed: told at once, and once a move."""

from uuid import UUID

from django.db import connection

from accounts.models import Notification
from lib.clock import now
from personal.models import Preference, WatchKind, WatchValue
from personal.values import show_value
from personal.wording import words

# The price each watcher was last told of (or the oldest that is kept), against the newest; who it concerns is marked as
# told in the same statement, so that a repeat finds nobody.
MOVED = """
WITH moved AS (
    SELECT w.id, (
        SELECT (o.data #>> '{data,price}')::float FROM personal_observation o
        WHERE o.value_id = w.value_id AND o.seq >= greatest(w.seen_seq, 1) ORDER BY o.seq LIMIT 1
    ) AS former
    FROM personal_watch w
    WHERE w.value_id = %(value)s AND w.alert_percent IS NOT NULL AND w.seen_seq < %(seq)s
    ORDER BY w.id FOR UPDATE OF w
)
UPDATE personal_watch w SET seen_seq = %(seq)s FROM moved
WHERE w.id = moved.id AND moved.former > 0
  AND abs(%(price)s::float / moved.former - 1) * 100 >= w.alert_percent
RETURNING w.workspace_id, w.user_id, w.label, moved.former
"""


def tell_moves(values: list[WatchValue]) -> int:
    """The number of people told. Expects the all-workspaces scope, and rows whose news is stored."""
    return sum(_tell(value) for value in values if value.kind == WatchKind.SYMBOL and value.data.get("price"))


def _tell(value: WatchValue) -> int:
    price = float(value.data["price"])
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"value": value.pk, "seq": value.last_seq, "price": price})
        found = cursor.fetchall()
    languages = _languages([(workspace_id, user_id) for workspace_id, user_id, *_ in found])
    Notification.objects.bulk_create(
        Notification(
            workspace_id=workspace_id,
            user_id=user_id,
            kind="watch.move",
            text=_text(value, label, price / former - 1, languages.get((workspace_id, user_id), "en")),
            path="/you/watchlist",
            is_alert=True,
            created_at=now(),
        )
        for workspace_id, user_id, label, former in found
    )
    return len(found)


def _text(value: WatchValue, label: str, change: float, language: str) -> str:
    say = words(language)
    name = label or show_value(value.kind, value.value)
    price = f"{value.data.get('text', '')} {value.data.get('currency', '')}".strip()
    move = say["up"] if change > 0 else say["down"]
    return say["moved"].format(name=name, move=move, percent=f"{abs(change) * 100:.1f}", price=price)[:300]


def _languages(pairs: list[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], str]:
    users = {user_id for _, user_id in pairs}
    rows = Preference.objects.filter(user__in=users).values_list("workspace_id", "user_id", "language")
    return {(workspace_id, user_id): language for workspace_id, user_id, language in rows}
