from datetime import timedelta

import pytest

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.engine import dispatch, job, outcome
from campaigns.engine.publish import publish_delivery
from campaigns.models import Attempt, Campaign, Delivery
from campaigns.services import create_campaign, set_campaign_status
from lib import clock
from lib.clock import now
from social.models import Connection
from social.networks.port import Accepted
from tests.campaigns.cast import add_connection

State, Outcome = Delivery.State, Attempt.Outcome
LATER = 200


def test_a_worker_that_died_before_the_call_costs_nothing(due, claim, tick, reload, live):
    delivery = due("Try again")
    claim()
    assert tick(LATER).returned == 1
    tick(LATER + 1)
    done = reload(delivery)
    assert live() == ["Try again"]
    assert (done.state, done.failures) == (State.PUBLISHED, 0)
    assert list(done.attempts.values_list("outcome", flat=True)) == [Outcome.ABANDONED, Outcome.ACCEPTED]


def test_a_worker_that_died_during_the_call_is_looked_up_first(due, claim, tick, reload, live, settings):
    delivery = due("Half way")
    begun = job.start_job(*claim())
    job.begin_submission(begun, 0)
    found = tick(LATER)
    assert (found.uncertain, found.publish, len(found.look_up)) == (1, [], 1)
    assert reload(delivery).attempts.get().message.startswith("Looked")
    assert live() == []
    tick(LATER + 100)
    tick(LATER + 200)
    assert live() == ["Half way"]
    assert reload(delivery).state == State.PUBLISHED


def test_a_worker_whose_lease_ran_out_sends_nothing(due, claim, live, reload):
    delivery = due("Too slow")
    claimed = claim()
    with clock.shifted(timedelta(seconds=LATER)):
        publish_delivery(*claimed)
    assert live() == []
    assert reload(delivery).state == State.PUBLISHING


def test_a_worker_that_slept_between_commit_and_call_does_not_call(due, claim, monkeypatch, live, reload):
    delivery = due("Frozen")
    claimed = claim()
    awake = clock.boot_seconds
    times = iter([awake(), awake(), awake() + LATER])
    monkeypatch.setattr(job, "boot_seconds", lambda: next(times))
    publish_delivery(*claimed)
    assert live() == []
    assert reload(delivery).attempts.get().submitting_part == 0


def test_an_old_claim_cannot_write_over_a_newer_one(due, claim, reload):
    delivery = due("Fenced")
    old = job.start_job(*claim())
    with clock.shifted(timedelta(seconds=LATER)):
        assert [row[2] for row in dispatch.tick().publish] == [2]
    with pytest.raises(job.ClaimLost):
        job.begin_submission(old, 0)
    outcome.set_aside(old, job.NotNow(State.FAILED, "late", "too late"))
    assert reload(delivery).state == State.PUBLISHING


def test_a_late_answer_settles_an_uncertain_delivery(due, claim, reload):
    delivery = due("Late but true")
    begun = job.start_job(*claim())
    job.begin_submission(begun, 0)
    with clock.shifted(timedelta(seconds=LATER)):
        assert dispatch.tick().uncertain == 1
    answer = Accepted("123", "https://x.test/123", 201, "req", "{}")
    outcome.record_accepted(begun, 0, answer)
    assert reload(delivery).state == State.PUBLISHED


def test_a_second_dispatcher_leaves_at_once(due, django_db_blocker):
    import psycopg
    from django.conf import settings as django_settings
    from django.db import connection

    due("Only one dispatcher")
    other = psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor, "context": None})
    assert django_settings.DISPATCH_BATCH
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [dispatch.DISPATCHER_LOCK])
        assert dispatch.tick() == dispatch.Tick()
    assert len(dispatch.tick().publish) == 1


@pytest.mark.parametrize("status", [Connection.Status.PAUSED, Connection.Status.RECONNECT, "disconnected"])
def test_nothing_is_claimed_for_an_account_that_is_not_active(due, connection, status):
    due("On hold")
    Connection.objects.filter(pk=connection.pk).update(status=status)
    assert dispatch.tick().publish == []


def test_a_suspended_workspace_publishes_nothing(due, workspace):
    due("Suspended")
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    assert dispatch.tick().publish == []


def test_pausing_a_campaign_holds_its_posts_and_resuming_frees_them(draft, approve, alice_actor, live, tick):
    from campaigns.deliveries import publish_now

    campaign = create_campaign(by=alice_actor, name="Launch")
    publish_now(approve(draft("In a campaign", campaign=campaign)), by=alice_actor)
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.RUNNING
    set_campaign_status(campaign, "paused", by=alice_actor)
    assert tick().publish == []
    set_campaign_status(campaign, "running", by=alice_actor)
    tick()
    assert live() == ["In a campaign"]


def test_a_pause_between_claim_and_call_is_noticed(draft, approve, alice_actor, claim, live, reload):
    from campaigns.deliveries import publish_now

    campaign = create_campaign(by=alice_actor, name="Launch")
    delivery = publish_now(approve(draft("Stop!", campaign=campaign)), by=alice_actor)
    claimed = claim()
    campaign.refresh_from_db()
    set_campaign_status(campaign, "paused", by=alice_actor)
    publish_delivery(*claimed)
    assert live() == []
    assert reload(delivery).state == State.RETRY_WAIT


def test_a_post_that_is_too_late_waits_as_missed_and_says_so(due, tick, reload, live, alice):
    from accounts.models import Notification

    delivery = due("Yesterday's news")
    Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=now() - timedelta(minutes=61))
    assert tick().missed == 1
    assert live() == []
    assert reload(delivery).state == State.MISSED
    assert Notification.objects.filter(user=alice, kind="delivery.missed").count() == 1


def test_a_post_within_the_late_minutes_is_sent(due, tick, reload):
    delivery = due("A little late")
    Delivery.objects.filter(pk=delivery.pk).update(scheduled_at=now() - timedelta(minutes=59))
    tick()
    assert reload(delivery).state == State.PUBLISHED


def test_workspaces_take_turns(due, settings, sandbox, charlie_actor):
    from campaigns.deliveries import submit_post
    from campaigns.services import PartDraft, PostDraft, create_post
    from compliance.models import Review
    from compliance.services import approve_review

    first = due("Roastery 1")
    with workspace_scope(charlie_actor.workspace.pk):
        connection = Connection.objects.create(
            workspace=charlie_actor.workspace, network="x", remote_id="77", handle="bakery", name="Bakery"
        )
        post = create_post(PostDraft((PartDraft("Bakery 1"),), connections=(connection.pk,)), by=charlie_actor)
        submit_post(post, by=charlie_actor)
        review = Review.objects.get(status="waiting")
        approve_review(review, by=charlie_actor, seen_hash=review.action_hash)
        Delivery.objects.filter(post=post).update(state=State.SCHEDULED, due_at=now(), scheduled_at=now())
    settings.DISPATCH_BATCH = 2
    owners = {row[0] for row in dispatch.tick().publish}
    assert owners == {first.workspace_id, charlie_actor.workspace.pk}


def test_no_more_is_handed_out_than_the_workers_take_up(due, settings, in_workspace):
    settings.DISPATCH_BATCH = 2
    others = [add_connection(in_workspace, f"account{number}") for number in range(3)]
    for number, other in enumerate(others):
        due(f"Post {number} of many", to=other)
    assert [len(dispatch.tick().publish) for _ in range(3)] == [2, 0, 0]
    Attempt.objects.filter(pk=Attempt.objects.first().pk).update(started_at=now())
    assert len(dispatch.tick().publish) == 1
