"""Numbers of posts on X, at their ages, over real HTTP with both clocks moved."""

from datetime import timedelta

import pytest

from accounts.models import UsageEntry, Workspace
from analytics.ages import AGES, DAY, HOUR, MINUTE
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.claims import claim_due
from analytics.collection.costs import settle_forgotten
from analytics.collection.measure import _leave_reserve, measure_due
from analytics.models import MeasuredPost, Snapshot
from campaigns.models import Delivery, LivePart
from compliance.models import HealthSignal
from lib.clock import now
from social.models import Connection, NetworkState, RateBucket
from social.networks.port import RateWindow, Readings
from tests.analytics.collection.conftest import READS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]
PUBLIC = {"impressions", "likes", "replies", "reposts", "quotes", "bookmarks"}
PRIVATE = {"link_clicks", "profile_clicks"}
# A moment after each age, so that the tick finds it.
TURNS = [age + 30 for age in AGES[:-1]] + [AGES[-1] - 2 * HOUR + 30]


def test_a_live_part_is_adopted_once_with_what_is_known_of_it(publish):
    (part,) = publish("Fresh beans")
    assert [adopt_live_parts(), adopt_live_parts()] == [1, 0]
    post = MeasuredPost.objects.get()
    assert (post.part, post.delivery, post.remote_id, post.text) == (part, part.delivery, part.remote_id, "Fresh beans")
    assert (post.published_at, post.impressions, post.next_age) == (part.published_at, None, 0)


def test_each_part_of_a_thread_is_a_post(publish):
    publish("One", "Two")
    assert adopt_live_parts() == 2
    assert set(MeasuredPost.objects.values_list("text", flat=True)) == {"One", "Two"}


def test_every_planned_age_gets_one_snapshot_and_numbers_only_grow(live_post, measured_at, ages_of):
    post = live_post()
    measured_at(*TURNS)
    assert ages_of(post) == list(AGES)
    seen = [row.metrics["impressions"] for row in Snapshot.objects.filter(post=post).order_by("age_s")]
    assert seen == sorted(seen)
    assert seen[-1] > seen[0] > 0
    post.refresh_from_db()
    assert (post.due_at, post.next_age, post.impressions) == (None, len(AGES), seen[-1])


def test_a_snapshot_says_where_its_numbers_are_from_and_what_there_is_not(live_post, measured_at):
    post = live_post()
    measured_at(15 * MINUTE + 30)
    row = Snapshot.objects.get(post=post)
    assert (row.source, row.kind, row.age_s) == ("x.lookup", "exact", 15 * MINUTE)
    assert set(row.metrics) == PUBLIC | PRIVATE
    assert row.missing == dict.fromkeys(("video_views", "reactions", "joins"), "not_here")
    post.refresh_from_db()
    assert post.engagements == sum(getattr(post, name) for name in PUBLIC - {"impressions"})
    assert post.missing == row.missing


def test_nothing_is_asked_before_it_is_time(live_post, measured_at, reads):
    live_post()
    assert measured_at(14 * MINUTE) == 0
    assert reads() == []


def test_a_late_worker_gives_no_late_number_to_an_early_age(live_post, measured_at, ages_of):
    post = live_post()
    measured_at(2 * HOUR)
    assert ages_of(post) == []
    post.refresh_from_db()
    assert post.impressions is not None
    measured_at(3 * HOUR + 30)
    assert ages_of(post) == [3 * HOUR]


def test_an_age_that_is_over_costs_nothing_where_the_post_was_measured_before(live_post, measured_at, reads):
    live_post()
    measured_at(15 * MINUTE + 30)
    before = len(reads())
    assert measured_at(2 * HOUR) == 0
    assert len(reads()) == before


def test_a_hundred_posts_of_an_account_are_one_call(connection, in_workspace, sandbox, reads):
    writer = sandbox.sign_in("roastery")
    for number in range(3):
        remote_id = writer.post_id(f"By hand {number}")
        MeasuredPost.objects.create(
            workspace=in_workspace, connection=connection, remote_id=remote_id, published_at=now(), due_at=now()
        )
    assert measure_due() == 3
    assert len(reads()) == 1


# --- what it costs ------------------------------------------------------------------------------------------


def test_a_post_is_paid_once_for_each_utc_day_as_x_charges(live_post, measured_at, reads, ledger):
    live_post()
    measured_at(*TURNS)
    charged = sum(entry["cost_micro"] for entry in reads())
    assert ledger() == {"reserved": 0, "settled": charged // 5000, "released": 0}
    assert charged // 5000 <= 6 < len(AGES)
    assert set(UsageEntry.objects.filter(kind="x.read").values_list("campaign_id", flat=True)) == {None}


def test_a_used_up_cap_skips_the_age_and_says_so(live_post, measured_at, in_workspace, reads):
    post = live_post()
    Workspace.objects.filter(pk=in_workspace.pk).update(monthly_cap_micro=15_000 + 4_999)
    assert measured_at(15 * MINUTE + 30) == 0
    row = Snapshot.objects.get(post=post)
    assert (row.metrics, row.missing) == ({}, {"*": "cap"})
    assert reads() == []
    post.refresh_from_db()
    assert (post.next_age, post.impressions, post.lease_until) == (1, None, None)


def test_what_a_lost_worker_held_back_counts_as_spent_the_next_day(live_post, travel, sandbox, ledger):
    live_post()
    sandbox.fault("accept_then_drop", route=READS)
    with travel.at(15 * MINUTE + 30):
        measure_due()
    assert ledger()["reserved"] == 1
    with travel.at(2 * DAY):
        assert settle_forgotten() == 1
    assert ledger() == {"reserved": 0, "settled": 1, "released": 0}


# --- what X answers -----------------------------------------------------------------------------------------


def test_private_numbers_of_an_old_post_have_vanished(connection, in_workspace, sandbox, travel):
    with travel.at(0):
        remote_id, begun = sandbox.sign_in("roastery").post_id("Made by hand"), now()
    with travel.at(31 * DAY):
        row = MeasuredPost.objects.create(
            workspace=in_workspace, connection=connection, remote_id=remote_id, published_at=begun, due_at=now()
        )
        assert measure_due() == 1
    row.refresh_from_db()
    assert row.impressions > 0
    assert {row.missing[name] for name in PRIVATE} == {"vanished"}
    assert row.link_clicks is None


def test_old_and_young_posts_in_one_round_keep_their_numbers(connection, in_workspace, sandbox, travel):
    with travel.at(0):
        old, begun = sandbox.sign_in("roastery").post_id("Old"), now()
    with travel.at(31 * DAY):
        young = sandbox.sign_in("roastery").post_id("Young")
        for remote_id, at in ((old, begun), (young, now())):
            MeasuredPost.objects.create(
                workspace=in_workspace, connection=connection, remote_id=remote_id, published_at=at, due_at=now()
            )
        assert measure_due() == 2
    assert MeasuredPost.objects.get(remote_id=young).link_clicks is not None
    assert MeasuredPost.objects.get(remote_id=old).link_clicks is None


def test_a_deleted_post_is_gone_and_its_account_hears_of_it(live_post, measured_at, sandbox, connection, ledger):
    post = live_post()
    measured_at(15 * MINUTE + 30)
    sandbox.sign_in("roastery").call("DELETE", f"/2/tweets/{post.remote_id}")
    assert measured_at(HOUR + 30) == 0
    post.refresh_from_db()
    assert post.gone_at is not None
    assert (post.due_at, post.lease_until) == (None, None)
    assert post.impressions is not None
    assert HealthSignal.objects.filter(connection_id=connection.pk, kind="deletion").count() == 1
    assert Snapshot.objects.get(post=post, age_s=HOUR).missing == {"*": "gone"}
    assert measured_at(3 * HOUR + 30) == 0


def test_a_post_that_we_took_down_is_left_alone(live_post, measured_at, reads):
    post = live_post()
    LivePart.objects.filter(pk=post.part_id).update(deleted_at=now())
    assert measured_at(15 * MINUTE + 30) == 0
    assert reads() == []
    post.refresh_from_db()
    assert post.due_at is None
    assert not HealthSignal.objects.exists()


def test_a_rate_limit_waits_for_the_window_and_publishing_does_not(live_post, travel, sandbox, connection, ledger):
    post = live_post()
    sandbox.fault("rate_limit", route=READS, seconds=120)
    with travel.at(15 * MINUTE + 30):
        assert measure_due() == 0
        post.refresh_from_db()
        assert post.due_at > now()
        assert (post.failures, post.lease_until) == (0, None)
    connection.refresh_from_db()
    assert (connection.limited_until, connection.status) == (None, "active")
    assert ledger()["released"] == 1


def test_no_credits_pause_the_account(live_post, measured_at, sandbox, connection, ledger):
    post = live_post()
    sandbox.fault("credits_depleted", route=READS)
    assert measured_at(15 * MINUTE + 30) == 0
    connection.refresh_from_db()
    assert connection.status == Connection.Status.PAUSED
    assert ledger()["released"] == 1
    post.refresh_from_db()
    assert post.due_at is not None
    assert measured_at(17 * MINUTE) == 0


def test_a_used_up_read_cap_leaves_publishing_alone(live_post, travel, sandbox, connection):
    post = live_post()
    sandbox.fault("usage_cap", route=READS)
    with travel.at(15 * MINUTE + 30):
        assert measure_due() == 0
        post.refresh_from_db()
        assert post.due_at > now() + timedelta(hours=23)
    connection.refresh_from_db()
    assert connection.status == Connection.Status.ACTIVE


def test_a_refused_token_is_renewed_and_the_post_measured(live_post, measured_at, sandbox, ages_of):
    post = live_post()
    sandbox.fault("token_expired", route=READS, count=1)
    assert measured_at(15 * MINUTE + 30) == 1
    assert ages_of(post) == [15 * MINUTE]


def test_a_log_in_that_has_ended_asks_for_a_new_one(live_post, measured_at, sandbox, connection):
    live_post()
    sandbox.fault("token_expired", route=READS, count=5)
    assert measured_at(15 * MINUTE + 30) == 0
    connection.refresh_from_db()
    assert connection.status == Connection.Status.RECONNECT


def test_no_answer_is_tried_again_within_the_tolerance(live_post, measured_at, sandbox, ages_of, ledger):
    post = live_post()
    sandbox.fault("accept_then_drop", route=READS, count=1)
    assert measured_at(15 * MINUTE + 30) == 0
    post.refresh_from_db()
    assert post.failures == 1
    assert measured_at(18 * MINUTE) == 1
    assert ages_of(post) == [15 * MINUTE]
    assert ledger() == {"reserved": 0, "settled": 1, "released": 0}
    post.refresh_from_db()
    assert post.failures == 0


def test_an_account_that_has_to_rest_is_not_asked(live_post, travel, connection, reads):
    live_post()
    account = Connection.objects.filter(pk=connection.pk)
    well = {"limited_until": None, "broken_until": None, "status": "active"}
    with travel.at(15 * MINUTE + 30):
        later = now() + timedelta(hours=1)
        for trouble in (
            {"limited_until": later},
            {"broken_until": later},
            {"status": "paused"},
            {"status": "reconnect"},
        ):
            account.update(**well | trouble)
            assert measure_due() == 0, trouble
        assert reads() == []
        account.update(**well)
        assert measure_due() == 1


def test_a_stopped_workspace_is_not_measured(live_post, measured_at, in_workspace, reads):
    live_post()
    Workspace.objects.filter(pk=in_workspace.pk).update(is_stopped=True)
    assert measured_at(15 * MINUTE + 30) == 0
    assert reads() == []


def test_an_edit_keeps_its_row_under_the_new_id(live_post):
    post = live_post()
    LivePart.objects.filter(pk=post.part_id).update(remote_id="999")
    assert adopt_live_parts() == 1
    post.refresh_from_db()
    assert post.remote_id == "999"
    assert MeasuredPost.objects.count() == 1


def test_a_disconnected_account_is_not_looked_for_for_ever(live_post, travel, connection):
    post = live_post()
    Connection.objects.filter(pk=connection.pk).update(status="disconnected")
    with travel.at(2 * DAY):
        adopt_live_parts()
    post.refresh_from_db()
    assert post.due_at is None
    assert Delivery.objects.get().state == "published"


# --- publishing goes first ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("remaining", "is_asked"), [(10, False), (11, True)])
def test_the_last_tenth_of_the_apps_window_is_left_to_publishing(
    live_post, travel, connection, reads, remaining, is_asked
):
    live_post()
    Connection.objects.filter(pk=connection.pk).update(app_key="app")
    with travel.at(15 * MINUTE + 30):
        resets_at = now() + timedelta(hours=1)
        RateBucket.objects.create(app_key="app", limit=100, remaining=remaining, resets_at=resets_at)
        assert measure_due() == is_asked
    assert len(reads()) == is_asked


def test_the_last_tenth_of_the_accounts_own_window_is_not_used_up(live_post, travel, connection, in_workspace):
    """Here only for posts that are due before the window opens again."""
    post = live_post()
    with travel.at(15 * MINUTE + 30):
        soon = now() + timedelta(minutes=1)
        other = MeasuredPost.objects.create(
            workspace=in_workspace, connection=connection, remote_id="9", published_at=soon, due_at=soon
        )
        opens_at = now() + timedelta(minutes=10)
        (claim,) = claim_due(100)
        _leave_reserve(claim, Readings({}, windows=(RateWindow("user", 100, 10, opens_at),)))
        other.refresh_from_db()
        assert other.due_at == opens_at
        assert claim.post_ids == (post.pk,)


def test_a_network_that_fails_for_everybody_is_left_alone(live_post, travel, reads, settings):
    live_post()
    with travel.at(15 * MINUTE + 30):
        opens_at = now() + timedelta(minutes=1)
        NetworkState.objects.create(network="x", failures_in_row=settings.BREAKER_NETWORK, broken_until=opens_at)
        assert measure_due() == 0
    assert reads() == []
