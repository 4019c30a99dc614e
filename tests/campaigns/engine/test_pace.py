"""How fast posts go out: waiting for a turn costs nothing, and nothing fails of it."""

import pytest

from accounts.models import UsageEntry, Workspace
from accounts.rate import remaining
from campaigns.account_health import pace_of
from campaigns.engine import pace
from campaigns.engine.job import NotNow, begin_submission, start_job
from campaigns.models import Delivery, Post
from compliance.health import note_signal
from lib.clock import now
from social.models import Connection

State = Delivery.State
CREATE = "POST /2/tweets"


@pytest.fixture
def one_an_hour(settings) -> None:
    settings.POSTS_PER_HOUR = 1


def limited_until(connection):
    return Connection.objects.get(pk=connection.pk).limited_until


@pytest.mark.parametrize(
    ("strikes", "count", "burst"), [(0, 100, 100), (1, 25, 2), (2, 10, 1), (3, 10, 1)], ids=["healthy", "1", "2", "3"]
)
def test_the_worse_its_health_the_slower_an_account(connection, in_workspace, strikes, count, burst):
    for _ in range(strikes):
        note_signal(in_workspace, connection.pk, "strike")
    found = pace_of(connection)
    assert (found.count, found.burst) == (count, burst)


@pytest.mark.parametrize("most", [-5, 0, 1])
def test_no_setting_stops_an_account_for_good(connection, settings, most):
    settings.POSTS_PER_HOUR = most
    assert (pace_of(connection).count, pace_of(connection).burst) == (1, 1)


def test_what_is_too_fast_waits_and_goes_out_later(one_an_hour, connection, due, tick, live, reload):
    due("First")
    tick()
    second = due("Second")
    tick(1)
    waiting = reload(second)
    assert live() == ["First"]
    assert (waiting.state, waiting.problem_code, waiting.failures) == (State.RETRY_WAIT, "paced", 0)
    assert "60 minutes" in waiting.problem_text
    assert 3500 < (waiting.due_at - now()).total_seconds() <= 3600
    Workspace.objects.update(late_minutes=600)
    tick(3605)
    assert live() == ["First", "Second"]


def test_waiting_costs_no_money_and_leaves_no_call_open(one_an_hour, due, tick, reload):
    due("First")
    tick()
    second = due("Second")
    tick(1)
    assert UsageEntry.objects.filter(kind="x.post").count() == 1
    (attempt,) = reload(second).attempts.all()
    assert (attempt.outcome, attempt.submitting_part) == ("abandoned", None)


def test_what_waited_too_long_is_asked_about_like_anything_late(one_an_hour, due, tick, reload):
    due("First")
    tick()
    second = due("Second")
    for later in (1, 3700):
        tick(later)
    assert reload(second).state == State.MISSED


def test_the_whole_account_rests_instead_of_being_tried_in_vain(one_an_hour, connection, due, tick):
    due("First")
    tick()
    for text in ("Second", "Third"):
        due(text)
    assert len(tick(1).publish) == 1
    assert limited_until(connection) > now()
    assert tick(5).publish == []


def test_a_thread_counts_all_its_parts_and_is_finished(settings, connection, due, tick, live, reload):
    settings.POSTS_PER_HOUR = 3
    due("One", "Two", "Three")
    tick()
    assert live() == ["One", "Two", "Three"]
    waiting = due("Four")
    tick(1)
    assert reload(waiting).problem_code == "paced"


def test_a_thread_longer_than_the_burst_still_goes_out(one_an_hour, due, tick, live):
    due("One", "Two", "Three")
    tick()
    assert live() == ["One", "Two", "Three"]


def test_what_is_not_sent_is_not_counted(one_an_hour, connection, due, claim):
    due("Never sent")
    job = start_job(*claim())
    Connection.objects.update(status=Connection.Status.PAUSED)
    with pytest.raises(NotNow):
        begin_submission(job, 0)
    assert remaining(pace_of(connection)) == 1


def test_the_whole_installation_has_a_limit_of_its_own(connection, due, tick, reload, live, monkeypatch):
    narrow = pace.Limit(("posts", "instance"), 1, pace.DAY, burst=1)
    monkeypatch.setattr(pace, "INSTANCE", narrow)
    due("First")
    tick()
    second = due("Second")
    tick(1)
    assert live() == ["First"]
    assert reload(second).problem_code == "paced"
    # Others' fault: the account itself is not slowed.
    assert not limited_until(connection)


# --- automatic answers --------------------------------------------------------------------------------------------


@pytest.fixture
def answer(draft, connection):
    """A delivery that answers this post of this person."""

    def make(to: str, author: str, *, by_agent: bool = True) -> Delivery:
        delivery = draft(f"Thanks for {to}, {author}!")
        facts = {"author": author, "is_summoned": True}
        Post.objects.filter(pk=delivery.post_id).update(reply_to=to, reply_facts=facts, has_agent_text=by_agent)
        return Delivery.objects.select_related("post", "connection").get(pk=delivery.pk)

    return make


def taken(delivery: Delivery) -> bool:
    limits = pace.reply_limits(delivery, delivery.connection)
    return not limits or pace.take(*limits).ok


def test_a_machine_answers_one_post_once(answer):
    assert [taken(answer("1", "ann")), taken(answer("1", "ann")), taken(answer("2", "ben"))] == [True, False, True]


def test_a_machine_does_not_pester_one_person(answer):
    assert [taken(answer(str(number), "Ann")) for number in range(3)] == [True, True, False]
    assert not taken(answer("9", "ann"))
    assert taken(answer("9", "ben"))


def test_a_refused_answer_leaves_the_other_thread_free(answer):
    for number in range(3):
        taken(answer(str(number), "ann"))
    assert taken(answer("2", "ben"))


def test_people_are_not_counted_as_machines(answer):
    assert all(taken(answer("1", "ann", by_agent=False)) for _ in range(5))


def test_a_post_that_answers_nobody_has_no_such_limit(draft):
    delivery = draft("For everybody")
    assert pace.reply_limits(delivery, delivery.connection) == []
