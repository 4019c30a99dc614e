"""Budgets of model calls under load: nothing overspent, nothing refused that fits, everything settled."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.db.models import Sum

from accounts import usage
from accounts.models import Notification, UsageEntry, UsageTotal, Workspace
from accounts.scope import workspace_scope
from agents import llm
from agents.llm import counting, ledger
from agents.llm.catalogue import current
from agents.llm.pricing import tariff
from agents.llm.routes import plan as plan_call
from agents.llm.types import ModelError, Usage
from agents.models import AISettings, ModelCall
from lib import clock
from tests.agents.llm.conftest import ASK

THREADS = 64
SMALL, DEAR = "sandbox-writer", "sandbox-dear"


def dear_model(data):
    model = {**data["models"][SMALL], "prices": [{"effective_from": "2026-01-01", "input": 10, "output": 50}]}
    data["models"][DEAR] = model


@pytest.fixture
def cap(workspace):
    """Limits what assistants may cost this month."""

    def limit(micro, **fields):
        with workspace_scope(workspace.pk):
            AISettings.objects.update_or_create(workspace=workspace, defaults={"monthly_cap_micro": micro, **fields})

    return limit


def worst(ask=ASK, model=SMALL):
    return tariff(current().models[model]).worst_micro(counting.most_input(ask), ask.max_output)


def total(workspace, scope=None):
    with workspace_scope(workspace.pk):
        return usage.spent(workspace, scope or ledger.ai_scope())


def at_once(make, count=THREADS):
    """What each of so many threads got: an answer or a ModelError."""

    def one(number):
        try:
            return make(number)
        except ModelError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db(transaction=True)
def test_64_at_once_all_fit_and_all_are_answered(sandbox, payer, workspace, cap):
    one = llm.complete(ASK, payer=payer()).cost_micro
    # Each fits while all others have been paid, and only then: 64 reservations together are far above the cap.
    cap(one * THREADS + worst())
    assert worst() * THREADS > 2 * (one * THREADS + worst())
    answers = at_once(lambda number: llm.complete(ASK, payer=payer()))
    assert [answer for answer in answers if isinstance(answer, ModelError)] == []
    assert {answer.text for answer in answers} == {answers[0].text}
    with workspace_scope(workspace.pk):
        booked = ModelCall.objects.aggregate(sum=Sum("cost_micro"))["sum"]
        assert UsageEntry.objects.filter(status="reserved").count() == 0
    assert total(workspace) == (booked, 0) == total(workspace, usage.month_budget(workspace).scope)
    assert booked == one + sum(answer.cost_micro for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_on_too_little_never_overspend_and_use_what_there_is(sandbox, payer, workspace, cap):
    run_id = uuid4()
    one = llm.complete(ASK, payer=payer()).cost_micro
    limit = one * 8 + worst()
    answers = at_once(lambda number: llm.complete(ASK, payer=payer(run_id=run_id, run_cap_micro=limit)), 24)
    refused = [answer for answer in answers if isinstance(answer, ModelError)]
    assert {error.code for error in refused} == {"over_budget"}
    assert len(answers) - len(refused) >= 8
    spent, held = total(workspace, ledger.run_scope(run_id))
    assert (spent <= limit, held) == (True, 0)
    # Nobody was refused while even the shortest answer would have fitted.
    least = tariff(current().models[SMALL]).worst_micro(counting.most_input(ASK), 64)
    assert spent + least > limit


@pytest.mark.django_db(transaction=True)
def test_calls_count_in_all_totals_at_once(sandbox, payer, workspace):
    run_id, campaign_id = uuid4(), uuid4()
    answer = llm.complete(ASK, payer=payer(run_id=run_id, campaign_id=campaign_id, campaign_cap_micro=10**6))
    scopes = (
        ledger.run_scope(run_id),
        usage.campaign_scope(campaign_id),
        ledger.ai_scope(),
        usage.month_budget(workspace).scope,
    )
    assert [total(workspace, scope) for scope in scopes] == [(answer.cost_micro, 0)] * 4
    with workspace_scope(workspace.pk):
        assert set(UsageTotal.objects.values_list("scope", flat=True)) == set(scopes)


@pytest.mark.django_db
@pytest.mark.parametrize("which", ["run", "campaign", "ai", "month"])
def test_each_total_alone_can_stop_a_call(which, sandbox, payer, workspace, cap):
    fields = {
        "run": {"run_id": uuid4(), "run_cap_micro": 1},
        "campaign": {"campaign_id": uuid4(), "campaign_cap_micro": 1},
    }.get(which, {})
    if which == "ai":
        cap(1)
    if which == "month":
        Workspace.objects.filter(pk=workspace.pk).update(monthly_cap_micro=1)
        fields["workspace"] = Workspace.objects.get(pk=workspace.pk)
    with pytest.raises(ModelError) as caught:
        llm.complete(ASK, payer=payer(**fields))
    assert (caught.value.code, caught.value.is_retryable) == ("over_budget", False)
    assert sandbox.get("/llm/calls")["calls"] == []
    with workspace_scope(workspace.pk):
        assert (ModelCall.objects.count(), UsageEntry.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_run_cap_of_the_settings_holds_where_the_run_has_none(sandbox, payer, cap):
    cap(None, run_cap_micro=1)
    assert llm.complete(ASK, payer=payer()).text
    with pytest.raises(ModelError, match="budget of this run"):
        llm.complete(ASK, payer=payer(run_id=uuid4()))


@pytest.mark.django_db
def test_where_the_dear_model_does_not_fit_the_cheaper_one_answers(sandbox, payer, cap, models_file):
    models_file(dear_model)
    ask = replace(ASK, models=(DEAR, SMALL))
    cap(worst())
    assert llm.complete(ask, payer=payer()).model == SMALL
    # With money enough the dear one is asked, which the sandbox does not know.
    cap(10**6)
    with pytest.raises(ModelError) as caught:
        llm.complete(ask, payer=payer())
    assert caught.value.code == "not_found"


@pytest.mark.django_db
def test_where_only_a_shorter_answer_fits_it_is_shorter(sandbox, payer, workspace, cap):
    long = replace(ASK, max_output=4000)
    cap(worst(ASK))
    assert llm.complete(long, payer=payer()).text
    (call,) = sandbox.get("/llm/calls")["calls"]
    assert ASK.max_output - 2 <= call["request"]["max_tokens"] <= ASK.max_output + 2
    cap(worst(replace(ASK, max_output=40)))
    with pytest.raises(ModelError, match="no"):
        llm.complete(long, payer=payer())


@pytest.fixture
def pay(sandbox, payer, workspace):
    """Holds back, and then settles, so many micro-dollars; 0 is an attempt that cost nothing."""

    def run(held_micro, cost_micro):
        plan = plan_call("chat", (), workspace)
        route = plan.routes[0]
        held = ledger.hold(payer(), plan.settings, route, "chat", tariff(route.model), held_micro, deadline=0)
        return ledger.settle(held, Usage(output=2 * cost_micro), error="" if cost_micro else "overloaded")

    return run


@pytest.mark.django_db
def test_marks_are_told_once_as_money_is_really_spent(pay, workspace, cap, alice):
    cap(1000)
    for held, cost in [(600, 300), (600, 0), (600, 250), (400, 50), (400, 250), (100, 0), (100, 100), (50, 50)]:
        pay(held, cost)
    with workspace_scope(workspace.pk):
        told = Notification.objects.filter(kind="budget", user=alice).order_by("pk").values_list("text", "is_alert")
        assert list(told) == [
            ("The monthly budget for AI is 50 % used: $0.00055 of $0.001.", False),
            ("The monthly budget for AI is 80 % used: $0.00085 of $0.001.", True),
            ("The monthly budget for AI is 100 % used: $0.001 of $0.001.", True),
        ]


@pytest.mark.django_db
def test_a_higher_cap_is_told_anew(pay, workspace, cap, alice):
    for limit in (100, 200):
        cap(limit)
        pay(50, 50)
    with workspace_scope(workspace.pk):
        assert Notification.objects.filter(kind="budget", user=alice).count() == 2


@pytest.mark.django_db
def test_what_a_dead_worker_held_is_booked_and_counts_once(sandbox, payer, workspace):
    plan = plan_call("chat", (), workspace)
    route = plan.routes[0]
    held = ledger.hold(payer(), plan.settings, route, "chat", tariff(route.model), 5_000, deadline=0)
    assert ledger.sweep() == 0
    with clock.shifted(timedelta(hours=1)):
        assert (ledger.sweep(), ledger.sweep()) == (1, 0)
        assert total(workspace) == (5_000, 0)
        # The worker was only slow: what it says now is too late.
        assert ledger.settle(held, Usage(input=10, output=10)) == 0
    assert total(workspace) == (5_000, 0)
    with workspace_scope(workspace.pk):
        row = ModelCall.objects.get()
    assert (row.status, row.error, row.cost_micro, row.is_estimated) == ("failed", "lost", 5_000, True)


@pytest.mark.django_db
def test_more_than_was_held_is_booked_and_said(sandbox, payer, workspace):
    plan = plan_call("chat", (), workspace)
    route = plan.routes[0]
    held = ledger.hold(payer(), plan.settings, route, "chat", tariff(route.model), 10, deadline=0)
    assert ledger.settle(held, Usage(input=1_000_000)) == 100_000
    assert total(workspace) == (100_000, 0)
    with workspace_scope(workspace.pk):
        row = ModelCall.objects.get()
    assert (row.status, row.error) == ("done", "above_reservation")


@pytest.mark.django_db
def test_a_repeated_call_goes_on_counting(sandbox, payer, workspace):
    for _ in range(3):
        llm.complete(ASK, payer=payer(key="run:step"))
    with workspace_scope(workspace.pk):
        keys = set(ModelCall.objects.values_list("key", flat=True))
    assert keys == {"run:step:1", "run:step:2", "run:step:3"}


@pytest.mark.django_db
def test_long_keys_that_begin_alike_are_different_calls(sandbox, payer, workspace):
    for end in "ab":
        llm.complete(ASK, payer=payer(key="k" * 140 + end))
    with workspace_scope(workspace.pk):
        assert (ModelCall.objects.count(), UsageEntry.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_the_ledger_stays_when_a_listener_leaves(sandbox, payer, workspace):
    class Gone(Exception):
        pass

    def leave(text):
        raise Gone

    with pytest.raises(Gone):
        llm.stream(ASK, payer=payer(), on_text=leave)
    with workspace_scope(workspace.pk):
        row = ModelCall.objects.get()
    assert (row.status, row.error, row.is_estimated, row.cost_micro > 0) == ("failed", "stopped", True, True)
    assert total(workspace)[1] == 0
