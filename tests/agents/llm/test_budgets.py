"""Settings of assistants and what they cost, as pages show it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from agents import budgets, keys, llm
from agents.llm import ledger
from agents.llm.pricing import tariff
from agents.llm.routes import plan as plan_call
from agents.llm.types import Payer
from agents.models import AISettings, ModelCall
from agents.tasks import sweep_model_calls
from lib import clock
from lib.clock import now
from tests.agents.llm.conftest import ASK

pytestmark = pytest.mark.django_db


def test_without_a_row_the_defaults_hold(in_workspace):
    row = budgets.settings_for(in_workspace)
    assert (row.monthly_cap_micro, row.run_cap_micro, row.role_models, row.is_paused) == (None, None, {}, False)
    assert not AISettings.objects.exists()


def test_a_change_is_kept_and_told(in_workspace, alice_actor, alice):
    budgets.change_settings(by=alice_actor, monthly_cap_micro=5_000_000, role_models={"chat": ["gpt-6-luna"]})
    row = budgets.settings_for(in_workspace)
    assert (row.monthly_cap_micro, row.role_models, row.updated_by) == (5_000_000, {"chat": ["gpt-6-luna"]}, alice)
    entry = AuditEntry.objects.get(action="ai_settings.update")
    assert entry.detail.data["changed"]["monthly_cap_micro"] == [None, 5_000_000]
    budgets.change_settings(by=alice_actor, monthly_cap_micro=5_000_000)
    assert AuditEntry.objects.filter(action="ai_settings.update").count() == 1


@pytest.mark.parametrize(
    ("plan", "own", "cap"),
    [
        ("business", None, None),
        ("business", 5, 5),
        ("free", None, 2_000_000),
        ("free", 5, 5),
        ("free", 0, 0),
        ("free", 9_000_000, 2_000_000),
    ],
)
def test_the_lower_of_the_plans_cap_and_the_own_one_counts(plan, own, cap, in_workspace):
    in_workspace.plan = plan
    choices = AISettings(workspace=in_workspace, monthly_cap_micro=own)
    assert ledger.budgets_of(Payer(in_workspace, "call"), choices)[0].cap_micro == cap


def test_the_page_shows_the_plans_cap(in_workspace):
    in_workspace.plan = "free"
    assert budgets.totals(in_workspace)[0].cap_micro == 2_000_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_cap_micro", -1),
        ("monthly_cap_micro", 1.5),
        ("monthly_cap_micro", True),
        ("monthly_cap_micro", 10**16),
        ("run_cap_micro", "5"),
        ("consolidate_hour", 24),
        ("consolidate_hour", -1),
        ("role_models", []),
        ("role_models", {"poet": ["gpt-6-luna"]}),
        ("role_models", {"chat": []}),
        ("role_models", {"chat": "gpt-6-luna"}),
        ("role_models", {"chat": ["gpt-6-luna"] * 7}),
        ("role_models", {"chat": ["nobody"]}),
        ("role_models", {"chat": [7]}),
        ("role_models", {"chat": ["text-embedding-3-small"]}),
        ("role_models", {"embed": ["gpt-6-luna"]}),
        ("role_models", {"chat": ["compatible:Lab:llama"]}),
    ],
)
def test_what_is_wrong_is_said_and_not_kept(in_workspace, alice_actor, field, value):
    with pytest.raises(ValidationError) as caught:
        budgets.change_settings(by=alice_actor, **{field: value})
    assert list(caught.value.message_dict) == [field]
    assert getattr(budgets.settings_for(in_workspace), field) != value or value == []


def test_a_model_of_an_own_server_may_be_chosen(in_workspace, alice_actor, settings):
    settings.OUTBOUND_ALLOW_CIDRS = ["127.0.0.0/8"]
    keys.add_key("compatible", "Lab", "sk-x", by=alice_actor, base_url="http://127.0.0.1:9/v1")
    chosen = {"chat": ["compatible:Lab:llama:8b", "gpt-6-luna"]}
    assert budgets.change_settings(by=alice_actor, role_models=chosen).role_models == chosen


@pytest.mark.parametrize("who", ["bob_actor", "rita_actor", "vic_actor", "gwen_actor"])
def test_only_admins_change_settings(in_workspace, who, request):
    with pytest.raises(PermissionDenied):
        budgets.change_settings(by=request.getfixturevalue(who), is_paused=True)


def test_unknown_settings_are_a_defect(in_workspace, alice_actor):
    with pytest.raises(TypeError):
        budgets.change_settings(by=alice_actor, colour="red")


# --- what it costs ----------------------------------------------------------------------------------------


@pytest.fixture
def calls(sandbox, payer, workspace):
    """Three calls of two roles, one of them in a run."""
    run_id = uuid4()
    asked = [
        llm.complete(ASK, payer=payer()),
        llm.complete(replace(ASK, role="writer"), payer=payer(run_id=run_id)),
        llm.complete(ASK, payer=payer()),
    ]
    return run_id, [answer.cost_micro for answer in asked]


def test_totals_say_what_is_spent_held_and_left(calls, in_workspace, alice_actor):
    run_id, costs = calls
    budgets.change_settings(by=alice_actor, monthly_cap_micro=10 * sum(costs))
    assistants, everything = budgets.totals(in_workspace)
    assert (assistants.spent_micro, assistants.held_micro, assistants.percent) == (sum(costs), 0, 10)
    assert assistants.left_micro == 9 * sum(costs)
    assert (everything.spent_micro, everything.percent, everything.cap) == (sum(costs), None, "")
    assert budgets.run_total(in_workspace, run_id, 1000).spent_micro == costs[1]
    assert {pk: total.spent_micro for pk, total in budgets.run_totals(in_workspace, [run_id, uuid4()]).items()} == {
        run_id: costs[1]
    }


@pytest.mark.parametrize("group", budgets.GROUPS)
def test_sums_by_each_group_add_up(calls, in_workspace, group):
    found = budgets.costs_by(budgets.calls_of(in_workspace), group)
    assert sum(cost.cost_micro for cost in found) == sum(calls[1])
    assert sum(cost.calls for cost in found) == 3
    if group == "role":
        assert [cost.of for cost in found] == ["chat", "writer"]


def test_sums_by_nothing_known_are_a_defect(in_workspace):
    with pytest.raises(ValueError, match="colour"):
        budgets.costs_by(budgets.calls_of(in_workspace), "colour")


def test_days_without_calls_are_there_too(calls, in_workspace):
    days = budgets.costs_by_day(in_workspace, 7)
    assert [cost for _, cost in days] == [0] * 6 + [sum(calls[1])]
    assert days[-1][0] == now().date()


def test_last_month_is_over(calls, in_workspace):
    with clock.shifted(timedelta(days=40)):
        assert not budgets.calls_of(in_workspace).exists()
        assert budgets.totals(in_workspace)[0].spent_micro == 0


def test_strangers_see_nothing_of_it(calls, other_workspace):
    with workspace_scope(other_workspace.pk):
        assert not ModelCall.objects.exists()
        assert [total.spent_micro for total in budgets.totals(other_workspace)] == [0, 0]


def test_the_task_settles_what_was_left(sandbox, payer, workspace):
    plan = plan_call("chat", (), workspace)
    route = plan.routes[0]
    ledger.hold(payer(), plan.settings, route, "chat", tariff(route.model), 700, deadline=0)
    with clock.shifted(timedelta(hours=1)):
        sweep_model_calls()
    with workspace_scope(workspace.pk):
        assert ModelCall.objects.get().cost_micro == 700
