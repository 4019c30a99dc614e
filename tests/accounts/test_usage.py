from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connections

from accounts import usage
from accounts.models import Notification, UsageEntry, UsageTotal, Workspace
from accounts.scope import workspace_scope

CAMPAIGN = UUID(int=7)


@pytest.fixture
def workspace(alice_actor):
    Workspace.objects.filter(pk=alice_actor.workspace.pk).update(monthly_cap_micro=1_000_000)
    return Workspace.objects.get(pk=alice_actor.workspace.pk)


@pytest.fixture
def scope(workspace):
    with workspace_scope(workspace.pk):
        yield


def month(workspace):
    return usage.spent(workspace, usage.month_budget(workspace).scope)


def test_what_is_reserved_is_held_back(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    assert month(workspace) == (0, 15_000)


def test_what_is_settled_is_spent(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    usage.settle(workspace, "a")
    assert month(workspace) == (15_000, 0)


def test_settling_may_cost_another_amount_than_was_held_back(workspace, scope):
    usage.reserve(workspace, "a", "llm", 15_000)
    usage.settle(workspace, "a", 9_000)
    assert month(workspace) == (9_000, 0)


def test_what_is_released_is_free_again(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    usage.release(workspace, "a")
    assert month(workspace) == (0, 0)


def test_the_same_effect_is_held_back_once(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    usage.reserve(workspace, "a", "x.post", 15_000)
    assert month(workspace) == (0, 15_000)


def test_a_settled_effect_is_not_held_back_again(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    usage.settle(workspace, "a")
    usage.reserve(workspace, "a", "x.post", 15_000)
    assert month(workspace) == (15_000, 0)


def test_a_released_effect_can_be_held_back_anew(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000)
    usage.release(workspace, "a")
    usage.reserve(workspace, "a", "x.post", 200_000)
    assert month(workspace) == (0, 200_000)


@pytest.mark.parametrize("close", [usage.settle, usage.release])
def test_closing_twice_changes_nothing(workspace, scope, close):
    usage.reserve(workspace, "a", "x.post", 15_000)
    close(workspace, "a")
    before = month(workspace)
    close(workspace, "a")
    assert month(workspace) == before


def test_closing_what_was_never_held_back_changes_nothing(workspace, scope):
    usage.settle(workspace, "never")
    assert month(workspace) == (0, 0)


def test_the_cap_may_be_used_to_the_last_micro_dollar(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 1_000_000)
    assert usage.left(workspace, usage.month_budget(workspace)) == 0


def test_past_the_cap_nothing_is_held_back(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 999_999)
    with pytest.raises(usage.BudgetExceeded, match=r"The monthly cap of \$1.00 has no \$0.000002 left"):
        usage.reserve(workspace, "b", "x.post", 2)
    assert month(workspace) == (0, 999_999)
    assert not UsageEntry.objects.filter(key="b").exists()


def test_a_campaign_has_a_cap_of_its_own(workspace, scope):
    with pytest.raises(usage.BudgetExceeded, match="The campaign's budget"):
        usage.reserve(workspace, "a", "x.post", 15_000, cap_micro=10_000, campaign_id=CAMPAIGN)
    assert month(workspace) == (0, 0)


def test_a_campaigns_cost_counts_in_its_month_too(workspace, scope):
    usage.reserve(workspace, "a", "x.post", 15_000, cap_micro=20_000, campaign_id=CAMPAIGN)
    usage.settle(workspace, "a")
    assert usage.spent(workspace, usage.campaign_scope(CAMPAIGN)) == (15_000, 0)
    assert month(workspace) == (15_000, 0)


def test_what_the_month_refuses_is_not_held_back_in_the_campaign(workspace, scope):
    with pytest.raises(usage.BudgetExceeded, match="The monthly cap"):
        usage.reserve(workspace, "a", "x.post", 2_000_000, cap_micro=None, campaign_id=CAMPAIGN)
    assert usage.spent(workspace, usage.campaign_scope(CAMPAIGN)) == (0, 0)


def test_without_a_cap_everything_fits(workspace, scope):
    workspace.monthly_cap_micro = None
    usage.reserve(workspace, "a", "x.post", 10**12)
    assert usage.left(workspace, usage.month_budget(workspace)) is None


def test_a_cap_of_nothing_lets_nothing_through(workspace, scope):
    workspace.monthly_cap_micro = 0
    with pytest.raises(usage.BudgetExceeded):
        usage.reserve(workspace, "a", "x.post", 1)


def test_a_read_is_spent_at_once(workspace, scope):
    usage.record(workspace, "read:1", "x.post_read", 5_000)
    assert month(workspace) == (5_000, 0)


def test_the_same_read_is_paid_once(workspace, scope):
    usage.record(workspace, "read:1", "x.post_read", 5_000)
    usage.record(workspace, "read:1", "x.post_read", 5_000)
    assert month(workspace) == (5_000, 0)


def test_passing_a_mark_is_told_once(workspace, scope, alice):
    usage.reserve(workspace, "a", "x.post", 490_000)
    usage.reserve(workspace, "b", "x.post", 15_000)
    usage.reserve(workspace, "c", "x.post", 15_000)
    told = Notification.objects.filter(user=alice, kind="budget").values_list("text", flat=True)
    assert list(told) == ["The monthly cap is 50 % used: $0.505 of $1.00."]


def test_passing_several_marks_at_once_tells_the_highest(workspace, scope, alice):
    usage.reserve(workspace, "a", "x.post", 1_000_000)
    told = Notification.objects.filter(user=alice, kind="budget").values_list("text", flat=True)
    assert list(told) == ["The monthly cap is 100 % used: $1.00 of $1.00."]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_overspend_and_leave_nothing_unused(workspace):
    def spend(number):
        try:
            with workspace_scope(workspace.pk):
                usage.reserve(workspace, f"k{number}", "x.post", 100_000)
            return True
        except usage.BudgetExceeded:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(spend, range(24)))
    with workspace_scope(workspace.pk):
        assert (sum(got), month(workspace)) == (10, (0, 1_000_000))


@pytest.mark.django_db(transaction=True)
def test_the_same_effect_at_once_is_held_back_once(workspace):
    def spend(_number):
        try:
            with workspace_scope(workspace.pk):
                usage.reserve(workspace, "same", "x.post", 100_000)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(16)))
    with workspace_scope(workspace.pk):
        assert month(workspace) == (0, 100_000)


def test_another_workspace_neither_sees_nor_uses_it(workspace, charlie_actor):
    with workspace_scope(workspace.pk):
        usage.reserve(workspace, "a", "x.post", 15_000)
    with workspace_scope(charlie_actor.workspace.pk):
        assert usage.spent(charlie_actor.workspace, usage.month_budget(workspace).scope) == (0, 0)
        assert not UsageTotal.objects.exists()
        usage.reserve(charlie_actor.workspace, "a", "x.post", 1, object_id=uuid4())
        assert UsageEntry.objects.count() == 1


# --- further totals ---------------------------------------------------------------------------------------

RUN, AI = usage.Budget("run:1", 100, "The budget of this run"), usage.Budget("ai:2026-11", 1_000, "The budget for AI")


def spent_of(workspace, *budgets):
    return [usage.spent(workspace, budget.scope) for budget in budgets]


def test_an_amount_is_held_in_all_totals_and_settled_in_all(workspace, scope):
    usage.reserve(workspace, "a", "llm", 80, further=[RUN, AI], campaign_id=CAMPAIGN)
    campaign = usage.campaign_budget(CAMPAIGN, None)
    assert spent_of(workspace, RUN, AI, campaign) == [(0, 80)] * 3
    assert usage.settle(workspace, "a", 30)
    assert spent_of(workspace, RUN, AI, campaign) == [(30, 0)] * 3
    assert month(workspace) == (30, 0)


def test_one_total_without_room_leaves_all_as_they_were(workspace, scope):
    with pytest.raises(usage.BudgetExceeded, match="budget of this run"):
        usage.reserve(workspace, "a", "llm", 101, further=[AI, RUN])
    assert (spent_of(workspace, RUN, AI), month(workspace)) == ([(0, 0), (0, 0)], (0, 0))
    assert not UsageEntry.objects.exists()


def test_it_is_said_whether_only_others_stand_in_the_way(workspace, scope):
    usage.reserve(workspace, "a", "llm", 60, further=[RUN])
    with pytest.raises(usage.BudgetExceeded) as caught:
        usage.reserve(workspace, "b", "llm", 60, further=[RUN])
    assert caught.value.is_held_up
    usage.settle(workspace, "a", 50)
    with pytest.raises(usage.BudgetExceeded) as caught:
        usage.reserve(workspace, "b", "llm", 60, further=[RUN])
    assert not caught.value.is_held_up
    usage.reserve(workspace, "b", "llm", 50, further=[RUN])


def test_closing_says_whether_it_closed(workspace, scope):
    usage.reserve(workspace, "a", "llm", 10, further=[RUN])
    assert [usage.settle(workspace, "a", 4), usage.settle(workspace, "a", 9), usage.release(workspace, "a")] == [
        True,
        False,
        False,
    ]
    assert spent_of(workspace, RUN) == [(4, 0)]


def test_more_than_was_held_is_booked(workspace, scope):
    usage.reserve(workspace, "a", "llm", 10, further=[RUN])
    usage.settle(workspace, "a", 500)
    assert (spent_of(workspace, RUN), month(workspace)) == ([(500, 0)], (500, 0))


def test_marks_wait_for_the_money_where_reservations_come_and_go(workspace, scope, alice):
    for number in range(3):
        usage.reserve(workspace, f"a{number}", "llm", 40, further=[RUN], warns=False)
        usage.settle(workspace, f"a{number}", 30 if number < 2 else 0, budgets=[RUN])
    told = Notification.objects.filter(user=alice, kind="budget").values_list("text", flat=True)
    assert list(told) == ["The budget of this run is 50 % used: $0.00006 of $0.0001."]
