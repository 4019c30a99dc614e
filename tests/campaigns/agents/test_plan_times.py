from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Plan, PlanLine
from campaigns.plan_times import HOURS, SOONEST, sensible_hours, suggest_times
from campaigns.slots import add_slot
from lib.clock import now
from tests.campaigns.cast import add_post, set_state

ZONES = ["Europe/Berlin", "Asia/Shanghai", "America/Los_Angeles", "UTC", "Pacific/Kiritimati"]


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
)
def test_sensible_hours_are_working_hours_ahead_on_the_workspaces_clock(start, zone):
    found = list(islice(sensible_hours(start, zone), 10))
    local = [at.astimezone(ZoneInfo(zone)) for at in found]
    assert len(found) == 10
    assert found == sorted(found)
    assert all(at > start for at in found)
    assert all(at.weekday() < 5 and at.time() in HOURS for at in local)
    assert len({at.date() for at in local}) == 10


def test_slots_come_first_and_taken_ones_are_left_out(roastery, alice_actor, bob_actor):
    add_slot(roastery, by=alice_actor, weekdays=[0, 1, 2, 3, 4, 5, 6], at=time(7, 5), time_zone="Europe/Berlin")
    first, second = suggest_times(roastery, 2, "Europe/Berlin")
    post = add_post(bob_actor, roastery)
    set_state(post, "scheduled", scheduled_at=first)
    assert suggest_times(roastery, 1, "Europe/Berlin") == [second]
    set_state(post, "canceled")
    assert suggest_times(roastery, 1, "Europe/Berlin") == [first]


def test_lines_of_other_proposals_hold_their_times(roastery):
    [first] = suggest_times(roastery, 1, "UTC")
    plan = Plan.objects.create(workspace=roastery.workspace, brief="Other")
    line = PlanLine.objects.create(
        workspace=roastery.workspace, plan=plan, n=1, connection=roastery, language="en", text="x", planned_at=first
    )
    assert suggest_times(roastery, 1, "UTC") != [first]
    assert suggest_times(roastery, 1, "UTC", exclude=plan.pk) == [first]
    line.status = "rejected"
    line.save()
    assert suggest_times(roastery, 1, "UTC") == [first]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_as_many_as_are_wanted_and_none_too_soon(roastery, count):
    found = suggest_times(roastery, count, "Asia/Shanghai")
    assert len(found) == count
    assert all(at > now() + SOONEST - timedelta(minutes=1) for at in found)
