"""A model that does anything at all, with tools that change things, people who answer anyhow, and little money.

Unapproved effects 0, overspend 0, runs that never end 0. Short here; FULL_PROOFS=1 runs ten thousand.
"""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Sum

from accounts.access import Perm
from accounts.models import UsageTotal
from accounts.scope import workspace_scope
from agents.llm import complete, policy
from agents.llm.types import Ask, ModelError, Payer, Said
from agents.models import Effect, Interrupt, Message, ModelCall, Run, Thread
from agents.runs.caps import CAPS
from agents.runs.identity import call_digest
from agents.runs.services import answer_interrupt, cancel_run, end_expired, start_run
from agents.runs.tools import ToolSpec
from agents.runs.worker import advance, claim_due
from lib import clock
from tests.agents.runs import hard

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10 if hard.IS_FULL else 1
RUNS = 1_000 if hard.IS_FULL else 16
WORKERS = 5 if hard.IS_FULL else 2
CHUNK = 50
DAY_S = 24 * 3600
RUN_CAPS = (None, 300, 600, 5_000)
CAMPAIGN_CAP = 8_000
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
DAY = {"enum": ["mon", "tue"]}
PLAN = {"type": "object", "required": ["day"], "properties": {"day": DAY, "n": {"type": "integer"}}}
ASK = Ask(
    role="chat",
    system="You look after the posts of a coffee roastery.",
    messages=(Said("user", "Plan a post, send it, and tidy up."),),
    models=("sandbox-chaos",),
    max_output=128,
)
Status = Run.Status


def work(flow):
    def write(tool):
        def do(args):
            ledger = Thread.objects.get(pk=flow.input["ledger"])
            said = f"{tool} {call_digest(tool, args)}"
            seq = Message.objects.filter(thread=ledger).count() + 1
            Message.objects.create(workspace=flow.run.workspace, thread=ledger, seq=seq, role="user", text=said)
            return {"done": True}

        return do

    tools = {
        "look": ToolSpec(TEXT, lambda args: {"found": args["text"][:50]}),
        "send": ToolSpec(TEXT, write("send"), has_effect=True),
        "plan": ToolSpec(PLAN, write("plan"), has_effect=True, perm=Perm.CONTENT_EDIT),
        "tidy": ToolSpec({"type": "object"}, write("tidy"), has_effect=True),
    }
    return flow.agent("work", ASK, tools=tools, max_rounds=5)["text"][:200]


@pytest.fixture
def world(workspace, bob_actor, define, sandbox, monkeypatch):
    define(work)
    monkeypatch.setattr(policy, "BASE_S", 0.005)
    monkeypatch.setitem(CAPS, "campaign", lambda _id: CAMPAIGN_CAP)

    def start(number, campaign_id):
        with workspace_scope(workspace.pk):
            ledger = Thread.objects.create(workspace=workspace)
            cap = RUN_CAPS[number % len(RUN_CAPS)]
            return start_run("test", {"ledger": str(ledger.pk)}, by=bob_actor, cap_micro=cap, campaign_id=campaign_id)

    # Here, so that children find everything loaded.
    with suppress(ModelError):
        complete(ASK, payer=Payer(workspace, "warm"))
    return start


def look_after(start, by, seed):
    """One process: workers and people, for its share of the runs."""
    choose = hard.seeded(seed)
    for first in range(0, RUNS // WORKERS, CHUNK):
        campaign_id = uuid4()
        for number in range(first, min(first + CHUNK, RUNS // WORKERS)):
            run = start(number, campaign_id)
            while advance(run.pk) == Status.WAITING and answer(run, by, choose):
                pass


def answer(run, by, choose):
    """Whether somebody did anything."""
    with workspace_scope(run.workspace_id):
        asked = run.interrupts.get(answer="")
    deed = choose.choices(["approved", "rejected", "nothing", "cancel"], [55, 25, 15, 5])[0]
    if deed == "cancel":
        cancel_run(run, by=by)
    elif deed != "nothing":
        answer_interrupt(asked, deed, by=by)
    return deed != "nothing"


def the_days_after():
    for later_s in (200, 500, 900, 1500, 3 * DAY_S + 5, 3 * DAY_S + 100, 3 * DAY_S + 4000):
        with clock.shifted(timedelta(seconds=later_s)):
            end_expired(RUNS)
            for run_id in claim_due(RUNS):
                advance(run_id)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_whatever_the_model_does_nothing_happens_without_a_yes(world, workspace, alice_actor, turn):
    workers = [hard.fork(look_after, world, alice_actor, turn * WORKERS + nth) for nth in range(WORKERS)]
    for worker in workers:
        worker.join(hard.PATIENCE_S * 4)
        assert worker.exitcode == 0
    assert hard.in_child(the_days_after) == 0
    with workspace_scope(workspace.pk):
        approved = Interrupt.objects.filter(answer="approved").values_list("run", "action", "args_sha256")
        ends = Counter(Run.objects.values_list("status", flat=True))
        errors = Counter(error["code"] for error in Run.objects.values_list("error", flat=True) if error)
        done = {(effect.run_id, effect.tool, effect.args_sha256) for effect in Effect.objects.all()}
        print(dict(ends), dict(errors), {"effects": len(done), "calls": ModelCall.objects.count()})
        assert sum(ends.values()) == RUNS // WORKERS * WORKERS
        assert not set(ends) & set(Run.OPEN)
        assert ends[Status.SUCCEEDED]
        assert done <= set(approved)
        # What was really written is what the effects say, each once.
        written = Counter(Message.objects.values_list("text", flat=True))
        assert written == Counter(f"{effect.tool} {effect.args_sha256}" for effect in Effect.objects.all())
        check_budgets()


def check_budgets():
    assert not ModelCall.objects.filter(status="open").exists()
    for run in Run.objects.exclude(cap_micro=None):
        spent = ModelCall.objects.filter(run_id=run.pk).aggregate(sum=Sum("cost_micro"))["sum"] or 0
        assert spent <= run.cap_micro
    campaigns = UsageTotal.objects.filter(scope__startswith="campaign:")
    assert campaigns.count()
    assert not campaigns.exclude(reserved_micro=0).exists()
    assert all(row.spent_micro <= CAMPAIGN_CAP for row in campaigns)
    by_campaign = ModelCall.objects.values("campaign_id").annotate(sum=Sum("cost_micro"))
    assert all(row["sum"] <= CAMPAIGN_CAP for row in by_campaign)
