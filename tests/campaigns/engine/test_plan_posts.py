"""The plan's posts of a month: counted when they are live, asked for before the call."""

import pytest

from accounts import plans
from campaigns.models import Attempt, Delivery

State = Delivery.State


@pytest.fixture
def one_left(in_workspace, due):
    """Room for one more post."""
    in_workspace.plan = "free"
    in_workspace.save(update_fields=["plan"])
    plans.count(in_workspace, "posts", plans.PLANS["free"].limits["posts"] - 1)
    return in_workspace


def test_a_post_is_counted_once_it_is_live(in_workspace, due, tick):
    due("One", "and its answer")
    assert plans.counted(in_workspace, "posts") == 0
    tick()
    tick(3600)
    assert plans.counted(in_workspace, "posts") == 1


def test_the_last_post_of_a_plan_goes_out_and_the_next_does_not(one_left, due, tick, reload, live):
    last, more = due("The last"), due("One too many")
    tick()
    tick()
    assert (reload(last).state, live()) == (State.PUBLISHED, ["The last"])
    refused = reload(more)
    assert (refused.state, refused.problem_code) == (State.FAILED, "plan_limit")
    assert "The Free plan has 50 published posts a month" in refused.problem_text
    assert plans.counted(one_left, "posts") == 50


def test_a_thread_that_has_begun_is_finished(one_left, due, tick, reload, live):
    thread = due("First", "Second")
    tick()
    assert (reload(thread).state, live()) == (State.PUBLISHED, ["First", "Second"])


def test_a_call_without_an_answer_takes_a_place(one_left, due, tick, reload, live, in_workspace):
    silent = due("Maybe live")
    Attempt.objects.create(workspace=in_workspace, delivery=silent, number=99, submitting_part=0)
    Delivery.objects.filter(pk=silent.pk).update(state=State.UNCONFIRMED, due_at=None)
    more = due("One too many")
    tick()
    assert (reload(more).problem_code, live()) == ("plan_limit", [])
