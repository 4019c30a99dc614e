"""The last look of the rules: what changed after the approval stops a post, what only flickers does not."""

from datetime import timedelta

import pytest

from campaigns.link_checks import hash_of
from campaigns.models import Attempt, Delivery, LinkCheck
from compliance.models import AccountHealth, GuardDecision, GuardRule, Review, WorkspaceTerm
from compliance.rulesets import forget_rules
from compliance.services import approve_review
from lib.clock import now

State = Delivery.State
LATER = 5


@pytest.fixture(autouse=True)
def fresh_rules():
    forget_rules()
    yield
    forget_rules()


def add_word(workspace, kind, word="beans"):
    WorkspaceTerm.objects.create(workspace=workspace, term=word, kind=kind)


def test_a_word_forbidden_after_the_approval_is_not_sent(due, tick, live, reload, in_workspace):
    delivery = due("Fresh beans")
    add_word(in_workspace, "block")
    tick()
    row = reload(delivery)
    assert (row.state, row.problem_code) == (State.FAILED, "guard_blocked")
    assert "beans" in row.problem_text
    assert live() == []
    assert delivery.attempts.get().outcome == Attempt.Outcome.ABANDONED
    assert GuardDecision.objects.filter(object_id=delivery.pk, stage="send", verdict="block").exists()


def test_a_rule_of_staff_counts_at_once(due, tick, live, reload):
    delivery = due("Fresh beans")
    data = {
        "id": "STAFF-1",
        "engine": "phrases",
        "severity": "block",
        "message": "Not now.",
        "match": {"terms": ["fresh"]},
    }
    GuardRule.objects.create(rule="STAFF-1", data=data, is_edited=True)
    forget_rules()
    tick()
    assert reload(delivery).problem_text == "Not now."
    assert live() == []


def test_a_new_question_goes_back_to_a_person_and_once_answered_it_is_sent(
    due, tick, live, reload, in_workspace, rita_actor, alice_actor
):
    delivery = due("Fresh beans")
    add_word(in_workspace, "review")
    tick()
    row = reload(delivery)
    assert (row.state, row.problem_code) == (State.IN_REVIEW, "guard_review")
    assert live() == []
    review = Review.objects.get(object_id=delivery.pk, status="waiting")
    assert review.guard["verdict"] == "review"
    approve_review(review, by=rita_actor, seen_hash=review.action_hash)
    tick(LATER)
    assert live() == ["Fresh beans"]


def test_what_the_reviewer_saw_is_sent(draft, approve, tick, live, in_workspace, alice_actor):
    from campaigns import deliveries

    add_word(in_workspace, "review")
    deliveries.publish_now(approve(draft("Fresh beans")), by=alice_actor)
    tick()
    assert live() == ["Fresh beans"]


def test_a_failing_engine_asks_a_person(due, tick, live, reload, monkeypatch):
    from compliance.guard import pipeline

    class Broken:
        name = "broken"

        def check(self, draft, context, rules):
            raise RuntimeError

    delivery = due("Fresh beans")
    monkeypatch.setattr(pipeline, "ENGINES", (*pipeline.ENGINES, Broken()))
    tick()
    assert reload(delivery).state == State.IN_REVIEW
    assert live() == []


def test_a_link_that_does_not_answer_for_a_moment_takes_no_approval_back(due, tick, live, in_workspace):
    due("Fresh beans https://example.com/shop")
    LinkCheck.objects.create(
        workspace=in_workspace,
        url="https://example.com/shop",
        url_hash=hash_of("https://example.com/shop"),
        is_ok=False,
        http_status=503,
        checked_at=now(),
    )
    tick()
    assert len(live()) == 1


def test_an_account_under_warning_asks_about_what_was_approved_before(due, tick, live, reload, in_workspace):
    delivery = due("Fresh beans")
    AccountHealth.objects.create(
        workspace=in_workspace, connection_id=delivery.connection_id, state="warned", changed_at=now() + timedelta(0)
    )
    tick()
    assert reload(delivery).state == State.IN_REVIEW
    assert live() == []


def test_a_note_that_became_a_question_asks_a_person(draft, approve, tick, live, reload, in_workspace, alice_actor):
    from campaigns import deliveries

    data = {"id": "STAFF-2", "engine": "phrases", "severity": "note", "message": "Hm.", "match": {"terms": ["fresh"]}}
    row = GuardRule.objects.create(rule="STAFF-2", data=data, is_edited=True)
    forget_rules()
    delivery = approve(draft("Fresh beans"))
    deliveries.publish_now(delivery, by=alice_actor)
    GuardRule.objects.filter(pk=row.pk).update(data=data | {"severity": "review"}, updated_at=now())
    forget_rules()
    tick()
    assert reload(delivery).state == State.IN_REVIEW
    assert live() == []
