"""Reminders, the ladder and the end, each exactly once."""

import threading
from collections import Counter
from datetime import timedelta
from multiprocessing.pool import ThreadPool

import pytest
from django.db import connections

from accounts.models import AuditEntry, Event, Notification, Workspace
from accounts.scope import workspace_scope
from compliance.models import GuardSettings, Review
from compliance.models.review import Risk
from compliance.reviews.escalation import expire_late_reviews, tend_reviews, title_of
from compliance.reviews.subjects import SUBJECTS
from compliance.services import claim_review, hold_review, reject_review
from compliance.tasks import expire_late_reviews as expire_task
from compliance.tasks import tend_reviews as tend_task
from lib.clock import now, shifted
from tests.compliance.poems import KIND, Poems, ask, events, fresh

pytestmark = pytest.mark.django_db
MINUTES = {Risk.HIGH: 15, Risk.MEDIUM: 240, Risk.LOW: 1440}


@pytest.fixture
def poems():
    made = Poems()
    made.register()
    yield made
    del SUBJECTS[KIND]


@pytest.fixture
def adam(join):
    return join("Adam", "admin")


@pytest.fixture
def review(poems, in_workspace, bob_actor, rita, adam):
    return ask(bob_actor)


def after(share: float, risk: str = Risk.LOW):
    """So much of the time for a decision has passed, and a second."""
    return shifted(timedelta(minutes=MINUTES[risk] * share, seconds=1))


def told() -> Counter:
    return Counter(Notification.objects.filter(kind__startswith="review.").values_list("user__name", "kind"))


@pytest.mark.parametrize("risk", Risk.values)
def test_the_risk_sets_when_a_decision_is_wanted(risk, poems, in_workspace, bob_actor):
    review = ask(bob_actor, risk=risk)
    assert review.due_at - review.requested_at == timedelta(minutes=MINUTES[risk])
    assert review.expires_at - review.requested_at == timedelta(days=14)


def test_a_workspace_sets_its_own_times(poems, in_workspace, bob_actor):
    GuardSettings.objects.create(workspace=in_workspace, sla_minutes={"low": 30}, expires_after_hours=2)
    review = ask(bob_actor)
    assert review.due_at - review.requested_at == timedelta(minutes=30)
    assert review.expires_at - review.requested_at == timedelta(hours=2)


def test_before_half_of_the_time_nobody_is_told(review):
    with after(0.49):
        assert tend_reviews() == 0
    assert told() == {}


def test_at_half_of_the_time_reviewers_are_reminded_once(review):
    with after(0.5):
        tend_reviews()
        tend_reviews()
    assert told() == {("Rita", "review.reminded"): 1}
    assert events(review) == ["requested", "reminded"]
    assert Notification.objects.get(kind="review.reminded").is_alert


def test_when_it_is_due_admins_are_told_as_well_and_half_of_it_later_the_owner(review):
    for share in (0.5, 1.0, 1.0, 1.2, 1.5, 1.5, 3):
        with after(share):
            tend_reviews()
    assert told() == {
        ("Rita", "review.reminded"): 1,
        ("Rita", "review.escalated"): 1,
        ("Adam", "review.escalated"): 1,
        ("Alice", "review.escalated"): 1,
    }
    assert events(review) == ["requested", "reminded", "escalated", "escalated"]
    assert fresh(review).escalation_level == 2
    assert [event.payload["level"] for event in Event.objects.filter(kind="review.escalated")] == [1, 2]


def test_after_a_long_stop_everybody_is_told_in_one_step(review):
    with after(2):
        tend_reviews()
    assert told() == {(name, "review.escalated"): 1 for name in ("Rita", "Adam", "Alice")}
    assert events(review) == ["requested", "escalated"]


def test_where_there_are_no_reviewers_whoever_may_decide_is_reminded(poems, in_workspace, bob_actor):
    ask(bob_actor)
    with after(0.5):
        tend_reviews()
    assert told() == {("Alice", "review.reminded"): 1}


def test_under_four_eyes_its_authors_are_not_asked(review, poems, rita, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(four_eyes=True)
    poems.authors.add(rita.pk)
    with after(0.5):
        tend_reviews()
    assert told() == {("Adam", "review.reminded"): 1, ("Alice", "review.reminded"): 1}


def test_what_is_on_hold_or_decided_reminds_nobody(review, poems, bob_actor, rita_actor):
    decided = ask(bob_actor)
    hold_review(review, by=rita_actor, reason="Wait")
    reject_review(decided, by=rita_actor, reason="No")
    with after(2):
        assert tend_reviews() == 0
    assert told() == {}


def test_a_suspended_workspace_is_left_alone(review, workspace):
    Workspace.objects.filter(pk=workspace.pk).update(is_suspended=True)
    with after(30):
        assert tend_reviews() == 0
    assert fresh(review).status == "waiting"


def test_in_the_end_it_expires_and_goes_back(review, poems, rita_actor):
    claim_review(review, by=rita_actor)
    with shifted(timedelta(days=14, seconds=1)):
        tend_reviews()
        tend_reviews()
    assert (fresh(review).status, poems.done) == ("expired", [("expired", review.pk)])
    assert fresh(review).decided_label == "review queue"
    assert events(review)[-1] == "expired"
    assert AuditEntry.objects.filter(action="review.expire").count() == 1


def test_on_hold_it_expires_all_the_same(review, poems, rita_actor):
    hold_review(review, by=rita_actor, reason="Wait")
    with shifted(timedelta(days=15)):
        tend_reviews()
    assert fresh(review).status == "expired"


def test_a_planned_time_that_has_passed_ends_it_too(review, poems, bob_actor):
    poems.late.add(review.object_id)
    other = ask(bob_actor)
    assert expire_late_reviews() == 1
    assert [fresh(row).status for row in (review, other)] == ["expired", "waiting"]
    assert expire_late_reviews() == 0


def test_what_left_the_queue_by_another_way_comes_up_once(review, poems):
    poems.gone.add(review.object_id)
    with shifted(timedelta(days=15)):
        tend_reviews()
        assert tend_reviews() == 0
    assert fresh(review).status == "obsolete"


def test_a_broken_review_does_not_stop_the_others(review, poems, bob_actor, monkeypatch):
    other = ask(bob_actor)
    Review.objects.filter(pk=review.pk).update(kind="unknown", due_at=now())
    Workspace.objects.update(four_eyes=True)
    with after(2):
        tend_reviews()
    assert (fresh(review).escalation_level, fresh(other).escalation_level) == (0, 2)


def test_tasks_call_the_services(review, poems):
    poems.late.add(review.object_id)
    expire_task.run()
    assert fresh(review).status == "expired"
    with shifted(timedelta(days=15)):
        tend_task.run()


@pytest.mark.parametrize(
    ("snapshot", "title"),
    [
        ({"text": "One\nline"}, "One line"),
        ({"parts": [{"text": "First"}, {"text": "Second"}]}, "First"),
        ({"parts": []}, "poem"),
        ({}, "poem"),
        ({"text": "x" * 200}, "x" * 80),
    ],
)
def test_a_reminder_names_what_it_is_about(snapshot, title):
    assert title_of(Review(kind=KIND, snapshot=snapshot)) == title


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_everybody_once(poems, workspace, bob_actor, rita):
    with workspace_scope(workspace.pk):
        ask(bob_actor)
        Review.objects.update(due_at=now() - timedelta(minutes=1), requested_at=now() - timedelta(days=1))
    together = threading.Barrier(2, timeout=60)

    def tend(_number: int) -> None:
        together.wait()
        try:
            tend_reviews()
        finally:
            connections.close_all()

    with ThreadPool(2) as pool:
        pool.map(tend, range(2), chunksize=1)
    with workspace_scope(workspace.pk):
        assert told() == {("Rita", "review.escalated"): 1}
