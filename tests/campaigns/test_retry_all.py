"""One cause, many failed posts, one button."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import AuditEntry
from campaigns.dead_letters import causes_of, retry_failed, stuck_counts
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from campaigns.rendering import render
from campaigns.services import set_campaign_status
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post

State = Delivery.State
GAP = timedelta(minutes=1)


@pytest.fixture
def failed(bob_actor: Actor, roastery: Connection) -> Callable[..., Delivery]:
    """An approved post that the network refused."""

    def make(code: str = "ended", state: str = State.FAILED, to: Connection | None = None, **fields) -> Delivery:
        row = Delivery.objects.get(post=add_post(bob_actor, to or roastery, text=f"{now()}", **fields))
        Delivery.objects.filter(pk=row.pk).update(
            state=state,
            problem_code=code,
            problem_text=f"Because {code}.",
            approved_hash=render(row).content_hash,
            scheduled_at=now() - timedelta(hours=2),
            fence=1,
        )
        return Delivery.objects.get(pk=row.pk)

    return make


def planned_times() -> list[datetime]:
    rows = Delivery.objects.filter(state=State.SCHEDULED).order_by("due_at")
    return [due for due in rows.values_list("due_at", flat=True) if due]


# --- causes -----------------------------------------------------------------------------------------------


def test_failures_are_one_cause_when_account_and_reason_are_the_same(failed) -> None:
    for _ in range(3):
        failed("ended")
    (cause,) = causes_of(Delivery.objects.filter(state=State.FAILED))
    assert (str(cause.connection), cause.code, cause.text, cause.count) == ("@roastery", "ended", "Because ended.", 3)


def test_another_account_is_another_cause(failed, cafe: Connection) -> None:
    failed("ended")
    failed("ended", to=cafe)
    assert len(causes_of(Delivery.objects.filter(state=State.FAILED))) == 2


def test_the_cause_that_stops_most_comes_first(failed) -> None:
    failed("rare")
    failed("common")
    failed("common")
    assert [cause.code for cause in causes_of(Delivery.objects.filter(state=State.FAILED))] == ["common", "rare"]


def test_a_cause_says_what_the_newest_of_it_said(failed) -> None:
    failed("ended")
    newest = failed("ended")
    Delivery.objects.filter(pk=newest.pk).update(problem_text="The newest.", updated_at=now() + GAP)
    assert causes_of(Delivery.objects.filter(state=State.FAILED))[0].text == "The newest."


def test_a_failure_without_a_reason_says_so(failed) -> None:
    failed("ended")
    Delivery.objects.update(problem_text="")
    assert causes_of(Delivery.objects.filter(state=State.FAILED))[0].text == "The reason was not kept."


def test_causes_cost_two_queries_for_any_number(failed, cafe: Connection) -> None:
    for number in range(3):
        failed(f"cause {number}")
        failed(f"cause {number}", to=cafe)
    with CaptureQueriesContext(database) as queries:
        assert len(causes_of(Delivery.objects.filter(state=State.FAILED))) == 6
    assert len(queries) == 2


def test_counts_by_account_hold_what_failed_and_what_was_missed(failed, cafe: Connection, in_workspace) -> None:
    failed("ended")
    failed("missed", State.MISSED)
    failed("ended", to=cafe)
    failed("fine", State.PUBLISHED)
    assert set(stuck_counts(in_workspace).values()) == {2, 1}


# --- retry ------------------------------------------------------------------------------------------------


def test_all_of_an_account_are_planned_again_a_minute_apart(failed, roastery, bob_actor) -> None:
    for _ in range(3):
        failed()
    retried = retry_failed(roastery, by=bob_actor)
    times = planned_times()
    assert (len(retried.planned), retried.left_out) == (3, [])
    assert [later - earlier for earlier, later in pairwise(times)] == [GAP, GAP]
    assert abs(times[0] - now()) < timedelta(seconds=5)


def test_they_go_in_the_order_they_were_due(failed, roastery, bob_actor) -> None:
    late, early = failed(), failed()
    Delivery.objects.filter(pk=early.pk).update(scheduled_at=now() - timedelta(days=1))
    retried = retry_failed(roastery, by=bob_actor)
    assert [row.pk for row in retried.planned] == [early.pk, late.pk]


def test_they_keep_clear_of_what_the_account_sends_anyway(failed, roastery, bob_actor) -> None:
    other = failed("planned", State.SCHEDULED)
    Delivery.objects.filter(pk=other.pk).update(due_at=now() + timedelta(seconds=90))
    for _ in range(3):
        failed()
    retry_failed(roastery, by=bob_actor)
    times = planned_times()
    assert all(later - earlier >= GAP for earlier, later in pairwise(times))


def test_one_cause_alone_can_be_retried(failed, roastery, bob_actor) -> None:
    failed("other")
    failed("ended")
    assert [row.problem_code for row in retry_failed(roastery, by=bob_actor, code="ended").planned] == [""]
    assert Delivery.objects.get(problem_code="other").state == State.FAILED


def test_missed_posts_of_the_account_are_retried_too(failed, roastery, bob_actor) -> None:
    failed("missed", State.MISSED)
    assert len(retry_failed(roastery, by=bob_actor).planned) == 1


def test_what_only_failed_can_be_asked_for(failed, roastery, bob_actor) -> None:
    failed("missed", State.MISSED)
    assert retry_failed(roastery, by=bob_actor, states=[State.FAILED]).planned == []


def test_no_state_but_failed_and_missed_is_ever_retried(failed, roastery, bob_actor) -> None:
    failed("live", State.PUBLISHED)
    failed("maybe", State.UNCONFIRMED)
    failed("gone", State.CANCELED)
    assert retry_failed(roastery, by=bob_actor, states=list(State)).planned == []


def test_another_account_is_left_alone(failed, roastery, cafe, bob_actor) -> None:
    foreign = failed(to=cafe)
    retry_failed(roastery, by=bob_actor)
    assert Delivery.objects.get(pk=foreign.pk).state == State.FAILED


def test_a_changed_post_is_left_out_with_the_reason(failed, roastery, bob_actor) -> None:
    changed, good = failed(), failed()
    changed.post.parts.update(text="Something else")
    retried = retry_failed(roastery, by=bob_actor)
    assert [row.pk for row in retried.planned] == [good.pk]
    assert "not what was approved" in retried.left_out[0].reason
    assert Delivery.objects.get(pk=changed.pk).state == State.FAILED


def test_a_post_without_an_approval_is_left_out(failed, roastery, bob_actor) -> None:
    failed()
    Delivery.objects.update(approved_hash="")
    assert len(retry_failed(roastery, by=bob_actor).left_out) == 1


def test_a_post_that_may_be_live_is_left_to_its_own_button(failed, roastery, bob_actor) -> None:
    row = failed()
    row.attempts.create(workspace=row.workspace, number=1, outcome="unknown", submitting_part=0)
    retried = retry_failed(roastery, by=bob_actor)
    assert (retried.planned, len(retried.left_out)) == ([], 1)
    assert "may be live" in retried.left_out[0].reason


def test_a_post_of_an_ended_campaign_is_left_out(failed, roastery, bob_actor, campaign) -> None:
    failed(campaign=campaign)
    set_campaign_status(campaign, "running", by=bob_actor)
    set_campaign_status(campaign, "completed", by=bob_actor)
    (left,) = retry_failed(roastery, by=bob_actor).left_out
    assert "campaign is completed" in left.reason


def test_the_summary_says_how_many_went_and_why_others_did_not(failed, roastery, bob_actor) -> None:
    failed()
    failed()
    changed = failed()
    changed.post.parts.update(text="Something else")
    text = str(retry_failed(roastery, by=bob_actor))
    assert text.startswith("2 posts go out, a minute or more apart. 1 left out: Its content")


def test_a_second_press_finds_nothing_left(failed, roastery, bob_actor) -> None:
    failed()
    retry_failed(roastery, by=bob_actor)
    assert str(retry_failed(roastery, by=bob_actor)) == "Nothing is sent again."


def test_more_than_a_button_takes_stay_for_the_next_time(failed, roastery, bob_actor, monkeypatch) -> None:
    monkeypatch.setattr("campaigns.dead_letters.MOST_AT_ONCE", 2)
    for _ in range(3):
        failed()
    retried = retry_failed(roastery, by=bob_actor)
    assert (len(retried.planned), retried.remaining) == (2, 1)
    assert "1 more are left" in str(retried)


@pytest.mark.parametrize("status", ["reconnect", "suspended", "disconnected"])
def test_an_account_that_does_not_work_is_reconnected_first(failed, roastery, bob_actor, status) -> None:
    row = failed()
    Connection.objects.update(status=status)
    with pytest.raises(NotAllowedNow, match="Reconnect it first"):
        retry_failed(roastery, by=bob_actor)
    assert Delivery.objects.get(pk=row.pk).state == State.FAILED


def test_a_paused_account_is_resumed_first(failed, roastery, bob_actor) -> None:
    failed()
    Connection.objects.update(status="paused")
    with pytest.raises(NotAllowedNow, match="Resume it first"):
        retry_failed(roastery, by=bob_actor)


@pytest.mark.parametrize("who", ["rita", "vic", "gwen"])
def test_only_who_may_publish_retries(request, failed, roastery, who) -> None:
    row = failed()
    with pytest.raises(PermissionDenied):
        retry_failed(roastery, by=request.getfixturevalue(f"{who}_actor"))
    assert Delivery.objects.get(pk=row.pk).state == State.FAILED


def test_the_audit_trail_says_who_retried_what(failed, roastery, bob_actor) -> None:
    row = failed()
    retry_failed(roastery, by=bob_actor)
    detail = AuditEntry.objects.get(action="connection.retry_failed").detail
    assert (detail.actor, detail.data["planned"]) == ("bob@example.org", [str(row.pk)])


def test_an_account_without_failures_changes_nothing(bob_actor, in_workspace) -> None:
    assert retry_failed(add_connection(in_workspace, "calm"), by=bob_actor).planned == []
