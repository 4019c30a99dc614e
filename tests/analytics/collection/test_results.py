"""What measured posts tell about hours, reach and the audience, from rows of known numbers."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.ages import DAY
from analytics.collection.results import LEAST_IN_HOUR, _hour, facts_of, hours_of, tell_reach
from analytics.models import MeasuredPost, Snapshot
from campaigns.audience import audience_facts, told
from campaigns.services import create_campaign
from campaigns.timing import NEEDED, timing_facts
from compliance.models import HealthSignal
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]


@pytest.fixture
def account(in_workspace) -> Connection:
    return add_connection(in_workspace)


@pytest.fixture
def measured(account):
    """Posts with these impressions after a day, at this hour (UTC) of one day each, the newest last."""
    numbers = iter(range(1, 10_000))

    def add(counts, hour: int = 9, campaign=None) -> None:
        first = now().replace(hour=hour, minute=0, second=0, microsecond=0) - timedelta(days=len(counts) + 2)
        for offset, count in enumerate(counts):
            post = MeasuredPost.objects.create(
                workspace=account.workspace,
                connection=account,
                remote_id=str(next(numbers)),
                published_at=first + timedelta(days=offset),
                measured_at=now(),
                campaign=campaign,
            )
            metrics = {} if count is None else {"impressions": count}
            Snapshot.objects.create(
                workspace=account.workspace, post=post, age_s=DAY, source="x.lookup", metrics=metrics
            )

    return add


# --- hours --------------------------------------------------------------------------------------------------


def test_an_hour_with_few_posts_says_nothing(measured, account):
    measured([100] * LEAST_IN_HOUR, hour=9)
    measured([900] * (LEAST_IN_HOUR - 1), hour=15)
    found = hours_of(account, "UTC")
    assert (found.posts, [result.hour for result in found.hours]) == (2 * LEAST_IN_HOUR - 1, [9])


def test_a_gap_is_no_zero(measured, account):
    measured([100, 100, 100, 100, 100, None, None])
    (result,) = hours_of(account, "UTC").hours
    assert (result.posts, result.reach) == (5, 100)


@given(st.lists(st.integers(0, 10_000_000), min_size=LEAST_IN_HOUR, max_size=40))
def test_the_interval_holds_the_mean_and_no_number_below_nothing(counts):
    result = _hour(9, counts)
    assert 0 <= result.low <= result.reach <= result.high
    assert min(counts) - 0.1 <= result.reach <= max(counts) + 0.1


def test_more_posts_make_a_narrower_interval():
    few, many = _hour(9, [80, 100, 120, 90, 110]), _hour(9, [80, 100, 120, 90, 110] * 6)
    assert many.high - many.low < few.high - few.low


def test_the_interval_is_that_of_student():
    """Five logarithms 1..5: mean 3, error √0.5, and 2.776 of them on either side."""
    import math

    counts = [math.expm1(value) for value in (1, 2, 3, 4, 5)]
    result = _hour(9, counts)
    assert math.log1p(result.reach) == pytest.approx(3, abs=0.01)
    assert math.log1p(result.high) == pytest.approx(3 + 2.776 * math.sqrt(0.5), abs=0.01)


def test_enough_measured_posts_suggest_their_best_hours(measured, account, in_workspace):
    # Its clock is never put forward or back.
    in_workspace.time_zone = "UTC"
    measured([500 + n for n in range(NEEDED // 2)], hour=12)
    measured([100 + n for n in range(NEEDED // 2)], hour=6)
    facts = timing_facts(in_workspace, account)
    (found,) = facts["accounts"]
    assert (facts["measured"], facts["is_enough"], found["basis"]) == (NEEDED, True, "measured")
    assert "may have been the reason" in facts["why"]
    best, other = found["hours"]
    assert best["low"] > other["high"]
    hours = {result["hour"] for result in found["hours"]}
    assert {int(one["local"][-5:-3]) for one in found["times"]} <= hours


def test_too_few_measured_posts_change_nothing(measured, account, in_workspace):
    measured([500] * 20, hour=12)
    measured([100] * 20, hour=6)
    facts = timing_facts(in_workspace, account)
    (found,) = facts["accounts"]
    assert (facts["measured"], facts["is_enough"], found["basis"], found["hours"]) == (40, False, "defaults", [])


def test_one_account_does_not_speak_for_another(measured, in_workspace):
    measured([500 + n for n in range(NEEDED // 2)], hour=12)
    measured([100 + n for n in range(NEEDED // 2)], hour=6)
    add_connection(in_workspace, "cafe")
    by_account = {row["account"]: row["basis"] for row in timing_facts(in_workspace)["accounts"]}
    assert by_account == {"@roastery": "measured", "@cafe": "defaults"}


# --- reach --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "recent", "is_told"), [(1000, 400, True), (1000, 600, False), (1000, 1000, False), (0, 0, False)]
)
def test_a_fall_of_reach_is_told_to_the_accounts_health(measured, account, before, recent, is_told):
    measured([before] * 15 + [recent] * 5)
    assert tell_reach(account) is is_told
    assert HealthSignal.objects.filter(connection_id=account.pk, kind="reach").exists() is is_told


def test_a_fall_is_told_once_a_day(measured, account):
    measured([1000] * 15 + [100] * 5)
    assert [tell_reach(account), tell_reach(account)] == [True, False]


def test_a_few_posts_have_no_usual_reach(measured, account):
    measured([1000] * 9 + [1] * 5)
    assert not tell_reach(account)


def test_one_bad_post_is_no_fall(measured, account):
    measured([1000] * 19 + [1])
    assert not tell_reach(account)


# --- audience -----------------------------------------------------------------------------------------------


def test_the_audience_workflow_hears_what_was_measured(measured, in_workspace):
    measured([100, 200, 300, None])
    facts = audience_facts(in_workspace)
    assert facts["measured"]["reach"] == {"x": 200}
    assert facts["measured"]["posts"] == 4
    assert "Half of 3 posts on x were seen at least 200 times within a day." in told(facts)


def test_facts_of_a_campaign_are_of_its_posts(measured, in_workspace, alice_actor):
    campaign = create_campaign(by=alice_actor, name="Spring")
    measured([100])
    measured([900], campaign=campaign)
    assert facts_of(in_workspace, campaign)["reach"] == {"x": 900}
    assert facts_of(in_workspace)["reach"] == {"x": 500}


def test_nothing_measured_is_said_plainly(in_workspace):
    assert facts_of(in_workspace) == {"posts": 0, "reach": {}, "lines": ["0 posts were measured."]}
