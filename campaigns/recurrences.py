"""Acts on recurring posts: repeat, pause, go on, skip, end, delete. `recurrences_make` makes the occurrences."""

from collections.abc import Collection
from datetime import date, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import check_time_zone
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery, Post, Recurrence
from campaigns.recurrences_times import local_day, next_time, occurrences, rested_at
from lib.clock import now

Kind = Recurrence.Kind
COOLDOWNS = range(1, 366)
LAST_YEAR = 2100
OVER = "It has ended. Repeat the post once more to begin anew."


def repeat_post(
    post: Post,
    *,
    by: Actor,
    kind: str,
    time_zone: str,
    weekdays: Collection[int] = (),
    at: time | None = None,
    cooldown_days: int = 30,
    ends_on: date | None = None,
) -> Recurrence:
    """Weekly needs weekdays and a time; evergreen a cooldown, and posting slots to go to."""
    _require(by)
    check_time_zone(time_zone)
    row = Recurrence(
        workspace=by.workspace,
        post=post,
        kind=kind,
        weekdays=sorted(set(weekdays)) if kind == Kind.WEEKLY else [],
        time=at if kind == Kind.WEEKLY else None,
        time_zone=time_zone,
        cooldown_days=cooldown_days,
        ends_on=ends_on,
        created_by=by.user,
    )
    _check(row)
    row.next_at = _first_time(row)
    if row.next_at is None:
        raise ValidationError({"ends_on": "No such day comes before this end."})
    with transaction.atomic():
        row.save(force_insert=True)
        audit.record("recurrence.create", row, by=by, kind=kind, post=str(post.pk))
    return row


def _require(by: Actor) -> None:
    # It writes posts and it plans them.
    by.require(Perm.CONTENT_EDIT)
    by.require(Perm.PUBLISH)


def _check(row: Recurrence) -> None:
    if row.kind not in Kind.values:
        raise ValidationError({"kind": "Choose how it repeats."})
    if row.kind == Kind.WEEKLY and (not row.weekdays or not set(row.weekdays) <= set(range(7))):
        raise ValidationError({"weekdays": "Choose one or more days."})
    if row.kind == Kind.WEEKLY and row.time is None:
        raise ValidationError({"at": "Give a time."})
    if row.cooldown_days not in COOLDOWNS:
        raise ValidationError({"cooldown_days": f"Rest {COOLDOWNS[0]} to {COOLDOWNS[-1]} days."})
    if row.ends_on and (row.ends_on < local_day(row, now()) or row.ends_on.year > LAST_YEAR):
        raise ValidationError({"ends_on": "This day is over or too far away. Choose a later or a nearer one."})
    if not Delivery.objects.filter(post=row.post).exists():
        raise ValidationError("Choose at least one account for the post first, then repeat it.")
    if row.post.reply_to:
        raise ValidationError("A reply belongs to one conversation. Only posts of their own can repeat.")


def _first_time(row: Recurrence) -> Any:
    if row.kind == Kind.WEEKLY:
        return next_time(row, now())
    return max(now(), rested_at(row, occurrences(row)) or now())


# --- afterwards -------------------------------------------------------------------------------------------


def pause_recurrence(recurrence: Recurrence, *, by: Actor) -> None:
    """Nothing new is made; what was made already keeps its time."""
    _change(recurrence, "pause", by, is_active=False)


def resume_recurrence(recurrence: Recurrence, *, by: Actor) -> None:
    """From here on: what was left out meanwhile stays out."""
    _require(by)
    with transaction.atomic():
        row = _locked(recurrence)
        following = _first_time(row)
        if row.next_at is None or following is None:
            raise NotAllowedNow(OVER)
        _change(row, "resume", by, is_active=True, next_at=following, problem_text="")


def end_recurrence(recurrence: Recurrence, *, by: Actor) -> None:
    _change(recurrence, "end", by, is_active=False, next_at=None, problem_text="")


def skip_next(recurrence: Recurrence, *, by: Actor) -> date:
    """Leave out the next one that has not been made yet; answers its day."""
    _require(by)
    with transaction.atomic():
        row = _locked(recurrence)
        if row.kind != Kind.WEEKLY:
            raise NotAllowedNow("An evergreen post has no set dates to skip. Pause it instead.")
        if row.next_at is None:
            raise NotAllowedNow(OVER)
        skipped = local_day(row, row.next_at)
        _change(row, "skip", by, next_at=next_time(row, row.next_at), problem_text="")
    return skipped


def delete_recurrence(recurrence: Recurrence, *, by: Actor) -> None:
    """The posts that it made stay."""
    _require(by)
    with transaction.atomic():
        audit.record("recurrence.delete", recurrence, by=by, post=str(recurrence.post_id))
        recurrence.delete()


def _locked(recurrence: Recurrence) -> Recurrence:
    row = Recurrence.objects.select_for_update(no_key=True).filter(pk=recurrence.pk).first()
    if row is None:
        raise NotAllowedNow("This was deleted meanwhile.")
    return row


def _change(recurrence: Recurrence, act: str, by: Actor, **fields: Any) -> None:
    _require(by)
    with transaction.atomic():
        if not Recurrence.objects.filter(pk=recurrence.pk).update(**fields):
            raise NotAllowedNow("This was deleted meanwhile.")
        audit.record(f"recurrence.{act}", recurrence, by=by)
