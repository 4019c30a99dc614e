"""How many posts the plan's month still has room for: said before they are submitted, and held at sending."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from accounts import plans
from accounts.models import Workspace
from campaigns.models import Attempt, Delivery, LivePart

State = Delivery.State


def count_used(workspace: Workspace, *, besides: Sequence[UUID] = ()) -> int:
    """Those that are live, and others that may be: their first call is out and has no answer yet."""
    out = Attempt.objects.filter(workspace=workspace, submitting_part=0).exclude(delivery__in=besides)
    return plans.counted(workspace, "posts") + out.values("delivery").distinct().count()


def say_room(workspace: Workspace, wanted: int, at: datetime | None = None) -> str:
    """Why `wanted` more posts do not fit into this month; empty where they do, or where `at` is in another month."""
    limit = plans.limit_of(workspace, "posts")
    if limit is None or not wanted or (at is not None and month_of(at) != plans.this_month()):
        return ""
    used = count_used(workspace)
    return words_of(used, limit, plans.this_month(), wanted) if used + wanted > limit else ""


def beyond_room(workspace: Workspace, deliveries: Sequence[Delivery], due: dict[UUID, datetime]) -> dict[UUID, str]:
    """Why which of them will be refused: in the order they are due each takes its place, as it will when it is sent."""
    limit = plans.limit_of(workspace, "posts")
    if limit is None:
        return {}
    begun = set(LivePart.objects.filter(delivery__in=deliveries).values_list("delivery_id", flat=True))
    waiting = [row for row in deliveries if row.state != State.PUBLISHING and row.pk not in begun]
    used = {plans.this_month(): count_used(workspace)}
    found = {}
    for row in sorted(waiting, key=lambda row: due[row.pk]):
        month = max(month_of(due[row.pk]), plans.this_month())
        if used.setdefault(month, 0) >= limit:
            found[row.pk] = words_of(limit, limit, month)
        else:
            used[month] += 1
    return found


def words_of(used: int, limit: int, month: date, wanted: int = 1) -> str:
    """For example: 12 of 12 posts of November are used. New ones go out from 1 December, or on a larger plan."""
    room = max(0, limit - used)
    text = f"{min(used, limit):,} of {limit:,} posts of {month:%B} are used"
    if room:
        text += f", and this goes to {wanted} accounts"
    return f"{text}. {'More' if room else 'New ones'} go out from 1 {_next(month):%B}, or on a larger plan."


def month_of(at: datetime) -> date:
    """The first day of the UTC month."""
    return at.astimezone(UTC).date().replace(day=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
