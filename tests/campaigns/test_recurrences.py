"""Repeating a post: what is asked for, and pausing, going on, skipping, ending."""

from datetime import UTC, date, datetime, time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from campaigns import recurrences as services
from campaigns.errors import NotAllowedNow
from campaigns.models import Post, Recurrence
from campaigns.recurrences_times import next_time
from lib.clock import now, shifted
from tests.campaigns.cast import add_post, set_state

BERLIN = "Europe/Berlin"
MONDAY_NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
MON, WED, SUN = 0, 2, 6


@pytest.fixture(autouse=True)
def on_monday():
    with shifted(MONDAY_NOON - now()):
        yield


@pytest.fixture
def repeat(post: Post, bob_actor):
    def make(kind: str = "weekly", **fields) -> Recurrence:
        weekly = {"weekdays": [MON, WED], "at": time(9)} if kind == "weekly" else {}
        return services.repeat_post(post, by=bob_actor, kind=kind, **{"time_zone": BERLIN} | weekly | fields)

    return make


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def read(row: Recurrence) -> Recurrence:
    return Recurrence.objects.get(pk=row.pk)


# --- when -------------------------------------------------------------------------------------------------


def following(after: datetime, weekdays: list[int], clock: time, zone: str = BERLIN, ends_on: date | None = None):
    return next_time(Recurrence(weekdays=weekdays, time=clock, time_zone=zone, ends_on=ends_on), after)


def test_the_next_time_is_the_next_of_its_days() -> None:
    assert following(MONDAY_NOON, [MON, WED], time(9)) == utc(2026, 12, 9, 8)
    assert following(utc(2026, 12, 9, 8), [MON, WED], time(9)) == utc(2026, 12, 14, 8)


def test_later_today_is_next() -> None:
    assert following(MONDAY_NOON, [MON], time(18)) == utc(2026, 12, 7, 17)


def test_the_wall_clock_stays_over_a_clock_change() -> None:
    assert following(utc(2027, 3, 24, 12), [WED, SUN], time(9)) == utc(2027, 3, 28, 7)


def test_a_time_that_the_clocks_skip_moves_past_the_gap() -> None:
    assert following(utc(2027, 3, 25), [SUN], time(2, 30)) == utc(2027, 3, 28, 1, 30)


def test_a_time_that_comes_twice_comes_once() -> None:
    first = following(utc(2026, 10, 20), [SUN], time(2, 30))
    assert first == utc(2026, 10, 25, 0, 30)
    assert following(first, [SUN], time(2, 30)) == utc(2026, 11, 1, 1, 30)


@pytest.mark.parametrize(("zone", "hour", "minute"), [("Asia/Kolkata", 3, 30), ("Asia/Kathmandu", 3, 15)])
def test_zones_between_the_hours_have_their_own_nine(zone: str, hour: int, minute: int) -> None:
    assert following(MONDAY_NOON, [WED], time(9), zone) == utc(2026, 12, 9, hour, minute)


def test_the_day_is_that_of_the_zone() -> None:
    assert following(utc(2026, 12, 8, 11), [WED], time(0, 15), "Pacific/Kiritimati") == utc(2026, 12, 15, 10, 15)


def test_after_the_last_day_comes_nothing() -> None:
    assert following(MONDAY_NOON, [WED], time(9), ends_on=date(2026, 12, 9)) == utc(2026, 12, 9, 8)
    assert following(utc(2026, 12, 9, 8), [WED], time(9), ends_on=date(2026, 12, 9)) is None


# --- asking for it ----------------------------------------------------------------------------------------


def test_a_weekly_post_begins_with_its_next_day(repeat) -> None:
    assert repeat().next_at == utc(2026, 12, 9, 8)


def test_an_evergreen_post_that_rests_begins_at_once(repeat) -> None:
    assert repeat("evergreen").next_at <= now()


def test_an_evergreen_post_rests_after_it_went_out_itself(repeat, post) -> None:
    set_state(post, "published", published_at=utc(2026, 12, 1, 9))
    assert repeat("evergreen", cooldown_days=10).next_at == utc(2026, 12, 11, 9)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("weekly", {"weekdays": []}),
        ("weekly", {"weekdays": [7]}),
        ("weekly", {"at": None}),
        ("weekly", {"ends_on": date(2026, 12, 6)}),
        ("weekly", {"ends_on": date(2026, 12, 8)}),
        ("weekly", {"ends_on": date(9999, 12, 31)}),
        ("weekly", {"time_zone": "Mars/Base"}),
        ("evergreen", {"cooldown_days": 0}),
        ("evergreen", {"cooldown_days": 366}),
        ("hourly", {}),
    ],
)
def test_what_makes_no_sense_is_refused(repeat, kind: str, fields: dict) -> None:
    with pytest.raises(ValidationError):
        repeat(kind, **fields)
    assert not Recurrence.objects.exists()


def test_a_post_without_an_account_cannot_repeat(bob_actor, in_workspace) -> None:
    with pytest.raises(ValidationError, match="account"):
        services.repeat_post(add_post(bob_actor), by=bob_actor, kind="evergreen", time_zone=BERLIN)


def test_a_reply_cannot_repeat(repeat, post) -> None:
    Post.objects.filter(pk=post.pk).update(reply_to="123")
    post.refresh_from_db()
    with pytest.raises(ValidationError, match="reply"):
        repeat()


# --- afterwards -------------------------------------------------------------------------------------------


def test_pause_and_resume_begin_again_from_here(repeat, bob_actor) -> None:
    row = repeat()
    services.pause_recurrence(row, by=bob_actor)
    assert not read(row).is_active
    with shifted(utc(2027, 2, 1, 12) - now()):
        services.resume_recurrence(row, by=bob_actor)
    assert (read(row).is_active, read(row).next_at) == (True, utc(2027, 2, 3, 8))


def test_skipping_leaves_out_the_next_day_only(repeat, bob_actor) -> None:
    row = repeat()
    assert services.skip_next(row, by=bob_actor) == date(2026, 12, 9)
    assert read(row).next_at == utc(2026, 12, 14, 8)


def test_skipping_the_last_day_ends_it(repeat, bob_actor) -> None:
    row = repeat(ends_on=date(2026, 12, 9))
    services.skip_next(row, by=bob_actor)
    assert read(row).next_at is None


def test_an_evergreen_post_has_no_day_to_skip(repeat, bob_actor) -> None:
    with pytest.raises(NotAllowedNow, match="no set dates"):
        services.skip_next(repeat("evergreen"), by=bob_actor)


@pytest.mark.parametrize("act", [services.resume_recurrence, services.skip_next])
def test_what_has_ended_does_not_go_on(repeat, bob_actor, act) -> None:
    row = repeat()
    services.end_recurrence(row, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="has ended"):
        act(row, by=bob_actor)
    assert read(row).next_at is None


def test_deleting_it_leaves_the_post(repeat, post, bob_actor) -> None:
    services.delete_recurrence(repeat(), by=bob_actor)
    assert not Recurrence.objects.exists()
    assert Post.objects.filter(pk=post.pk).exists()


@pytest.mark.parametrize("act", [services.pause_recurrence, services.resume_recurrence, services.end_recurrence])
def test_what_was_deleted_meanwhile_says_so(repeat, bob_actor, act) -> None:
    row = repeat()
    Recurrence.objects.all().delete()
    with pytest.raises(NotAllowedNow, match="deleted"):
        act(row, by=bob_actor)


def test_each_act_is_on_the_trail(repeat, bob_actor) -> None:
    row = repeat()
    for act in (services.pause_recurrence, services.resume_recurrence, services.skip_next, services.end_recurrence):
        act(row, by=bob_actor)
    services.delete_recurrence(row, by=bob_actor)
    actions = AuditEntry.objects.filter(action__startswith="recurrence.").order_by("number")
    assert [entry.action.split(".")[1] for entry in actions] == ["create", "pause", "resume", "skip", "end", "delete"]


@pytest.mark.parametrize("name", ["rita", "vic", "gwen"])
def test_repeating_belongs_to_those_who_write_and_plan(request, repeat, post, name: str) -> None:
    row, by = repeat(), request.getfixturevalue(f"{name}_actor")
    acts = ["pause_recurrence", "resume_recurrence", "skip_next", "end_recurrence", "delete_recurrence"]
    for act in acts:
        with pytest.raises(PermissionDenied):
            getattr(services, act)(row, by=by)
    with pytest.raises(PermissionDenied):
        services.repeat_post(post, by=by, kind="evergreen", time_zone=BERLIN)
    assert read(row).next_at == row.next_at
