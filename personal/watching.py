"""Acts on a person's watchlist. What is watched is shared: `watchers` counts the rows that point at it."""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.http import Http404

from accounts import audit, plans
from accounts.access import Actor
from accounts.models import Membership, Role
from accounts.scope import all_workspaces_scope
from lib.clock import now
from lib.text import one_line, storable
from personal.access import person_of, visible_watches
from personal.models import Watch, WatchKind, WatchValue
from personal.polling import NO_ROOM
from personal.providers import why_not
from personal.values import Value, read_value

MAX_LABEL = 120
MAX_PERCENT = 1_000
# After it would have been read again; what is watched anew by then has its news still.
UNWATCHED_KEPT = timedelta(days=7)
EVERY_S = {WatchKind.SYMBOL: 900, WatchKind.ACCOUNT: 3600, WatchKind.KEYWORD: 3600}


def add_watch(
    typed: str, *, by: Actor, kind: str = "", label: str = "", alert_percent: float | None = None
) -> tuple[Watch, bool]:
    """The watch, and whether it is new: the same thing again changes nothing. Raises ValidationError, PlanLimit."""
    person = person_of(by)
    value = read_value(typed, kind)
    if reason := why_not(value.kind):
        raise ValidationError({"value": reason})
    _check(value.kind, alert_percent)
    with transaction.atomic():
        plans.require_room(by.workspace, "watches", visible_watches(by).count, _wanted(by, value))
        shared = _shared(value)
        watch = Watch(
            workspace=by.workspace,
            user=person,
            value=shared,
            label=_label(label),
            alert_percent=alert_percent,
            # What is known already is no news.
            seen_seq=shared.last_seq,
        )
        Watch.objects.bulk_create([watch], ignore_conflicts=True)
        stored = visible_watches(by).get(value=shared)
        is_new = stored.pk == watch.pk
        if is_new:
            WatchValue.objects.filter(pk=shared.pk).update(watchers=F("watchers") + 1)
            # It rests because those who watched it had used up their plans: the new one may pay for it now.
            WatchValue.objects.filter(pk=shared.pk, problem_text=NO_ROOM).update(due_at=now(), problem_text="")
            audit.record("watch.add", stored, by=by, kind=value.kind)
    return stored, is_new


def change_watch(watch: Watch, *, by: Actor, **fields: Any) -> Watch:
    """`label`, `alert_percent`."""
    if unknown := fields.keys() - {"label", "alert_percent"}:
        raise TypeError(f"{', '.join(sorted(unknown))}: nothing that can be changed.")
    with transaction.atomic():
        found = visible_watches(by).select_for_update(no_key=True, of=("self",)).filter(pk=watch.pk).first()
        if found is None:
            raise Http404
        if "label" in fields:
            found.label = _label(fields["label"])
        if "alert_percent" in fields:
            _check(found.value.kind, fields["alert_percent"])
            found.alert_percent = fields["alert_percent"]
        found.save(update_fields=["label", "alert_percent"])
        audit.record("watch.change", found, by=by, fields=sorted(fields))
    return found


def remove_watch(watch: Watch, *, by: Actor) -> bool:
    """False where somebody else was faster."""
    with transaction.atomic():
        if not visible_watches(by).filter(pk=watch.pk).delete()[0]:
            return False
        _leave(watch.value_id)
        audit.record("watch.remove", watch, by=by, kind=watch.value.kind)
    return True


def mark_seen(watches: Iterable[Watch]) -> None:
    """The person looked at these of theirs, as they were read: what came in since stays news."""
    told = {row.pk: row.value.last_seq for row in watches if row.seen_seq < row.value.last_seq}
    if told:
        mark_told(told)


def mark_told(told: Mapping[UUID, int]) -> None:
    """By watch, the observation up to which its person was told."""
    rows = list(Watch.objects.filter(pk__in=told))
    for row in rows:
        row.seen_seq = max(row.seen_seq, told[row.pk])
    Watch.objects.bulk_update(rows, ["seen_seq"])


def drop_strangers(limit: int = 1_000) -> int:
    """Watches of people who left their workspace, and counts that a deletion from elsewhere left wrong."""
    with all_workspaces_scope("watches of former members"), transaction.atomic():
        member = Membership.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
        strangers = Watch.objects.exclude(Exists(member.exclude(role=Role.GUEST)))
        found = list(strangers.order_by("value_id").values_list("pk", "value_id")[:limit])
        Watch.objects.filter(pk__in=[pk for pk, _ in found]).delete()
    recount_watchers()
    return len(found)


def drop_unwatched(limit: int = 5_000) -> int:
    """What nobody watches any more: somebody typed it, and anybody could fill the table by typing and removing."""
    with all_workspaces_scope("what nobody watches"), transaction.atomic():
        # Whoever is about to watch it holds its row, or finds that it is gone.
        rows = WatchValue.objects.select_for_update(no_key=True, skip_locked=True).filter(
            ~Exists(Watch.objects.filter(value=OuterRef("pk"))),
            watchers=0,
            lease_until=None,
            due_at__lt=now() - UNWATCHED_KEPT,
        )
        found = list(rows.values_list("pk", flat=True)[:limit])
        WatchValue.objects.filter(pk__in=found).delete()
    return len(found)


def recount_watchers() -> int:
    """Whoever erases a person or a workspace deletes watches without knowing of their values. The number mended."""
    with all_workspaces_scope("count watchers"):
        wrong = WatchValue.objects.raw(WRONG)
        ids = [row.pk for row in wrong]
    return sum(_recount(pk) for pk in ids)


WRONG = """
SELECT v.id FROM personal_watchvalue v
LEFT JOIN (SELECT value_id, count(*) AS n FROM personal_watch GROUP BY value_id) w ON w.value_id = v.id
WHERE v.watchers <> coalesce(w.n, 0) ORDER BY v.id
"""


def _recount(pk: UUID) -> int:
    """Under the row's lock: who adds or removes in this moment waits with their own step, and takes it afterwards."""
    with all_workspaces_scope("count watchers"):
        value = WatchValue.objects.select_for_update(no_key=True).get(pk=pk)
        found = Watch.objects.filter(value=value).count()
        return WatchValue.objects.filter(pk=pk).exclude(watchers=found).update(watchers=found)


def _leave(value_id: UUID) -> None:
    WatchValue.objects.filter(pk=value_id, watchers__gt=0).update(watchers=F("watchers") - 1)


def _wanted(by: Actor, value: Value) -> int:
    """The same thing again takes no room."""
    return 0 if visible_watches(by).filter(value__kind=value.kind, value__value=value.value).exists() else 1


def _shared(value: Value) -> WatchValue:
    fresh = WatchValue(kind=value.kind, value=value.value, every_s=EVERY_S[WatchKind(value.kind)], due_at=now())
    WatchValue.objects.bulk_create([fresh], ignore_conflicts=True)
    found = WatchValue.objects.select_for_update(no_key=True).filter(kind=value.kind, value=value.value).first()
    # Gone between the two statements, since nobody watched it: made anew.
    return found or _shared(value)


def _label(text: str) -> str:
    return one_line(storable(text))[:MAX_LABEL]


def _check(kind: str, percent: float | None) -> None:
    if percent is None:
        return
    if kind != WatchKind.SYMBOL:
        raise ValidationError({"alert_percent": "Only prices of symbols move by per cent."})
    if not math.isfinite(percent) or not 0 < percent <= MAX_PERCENT:
        raise ValidationError({"alert_percent": f"A number above 0, at most {MAX_PERCENT:,}."})
