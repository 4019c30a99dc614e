"""Model calls as steps, against the sandbox's real wires."""

import pytest

from agents.llm.types import Ask, ModelError, Said
from agents.models import AISettings, ModelCall, Run
from agents.runs import partial
from agents.runs.caps import CAPS
from agents.runs.partial import append_partial, begin_partial, read_partial
from agents.runs.queries import run_status
from agents.runs.services import resume_run

pytestmark = pytest.mark.django_db
Status = Run.Status


def ask_for(text, **fields):
    return Ask(role="chat", system="Be brief.", messages=(Said("user", text),), models=("sandbox-scripted",), **fields)


@pytest.fixture
def script(sandbox):
    """What the scripted model says, step by step; all of it must have been taken at the end."""

    def order(*steps):
        sandbox.post("/llm/script", steps=list(steps))

    yield order
    assert sandbox.get("/llm/script")["remaining"] == []


def test_an_answer_is_a_step_with_what_it_cost(define, start, go, script):
    script({"text": "Fresh beans!"})
    define(lambda flow: flow.ask("write", ask_for("A post"), agent="writer"))
    run = go(start())
    step, call = run.steps.get(), ModelCall.objects.get()
    assert (run.status, run.output["text"], run.output["stop"]) == (Status.SUCCEEDED, "Fresh beans!", "end")
    assert (step.kind, step.agent, step.model) == ("llm", "writer", "sandbox-scripted")
    assert step.input["messages"][0]["text"] == "A post"
    assert (step.cost_micro, step.input_tokens) == (call.cost_micro, call.input_tokens)
    assert call.cost_micro > 0
    assert (call.run_id, call.step_key) == (run.pk, "write")
    assert run_status(run)["usage"] == {
        "calls": 1,
        "input_tokens": call.input_tokens,
        "cached_tokens": call.cached_tokens,
        "output_tokens": call.output_tokens,
        "reasoning_tokens": 0,
        "cost_micro": call.cost_micro,
    }


def test_a_model_is_not_asked_twice_for_one_step(define, start, go, script, rita_actor):
    from agents.runs.services import answer_interrupt

    script({"text": "Once"})

    def work(flow):
        said = flow.ask("write", ask_for("A post"))["text"]
        flow.approve("go", action="a", args={"text": said})
        return flow.ask and said

    run = go(start(define(work)))
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    assert go(run).output == "Once"
    assert ModelCall.objects.count() == 1


def test_a_step_knows_the_prompt_it_was_asked_with(define, start, go, script):
    from agents.prompts.library import shipped_prompts

    script({"text": "Yes"})
    key = sorted(shipped_prompts())[0]

    def work(flow):
        version = flow.step("prompt sha", lambda: None)
        flow._prompts["You are kind."] = "f" * 64
        flow.ask("q", Ask(role="chat", system="You are kind. Today is Monday.", messages=(Said("user", "Hi"),)))
        return version

    define(work)
    run = go(start())
    assert key
    assert run.steps.get(key="q").prompt_sha256 == "f" * 64
    flowless = go(start(define(lambda flow: flow.ask("q", ask_for("Hi"))["text"])))
    assert flowless.steps.get().prompt_sha256 == ""


def test_who_declines_is_not_asked_again(define, start, go, script):
    script({"refusal": "I would rather not."})
    define(lambda flow: flow.ask("write", ask_for("Something bad")))
    run = go(start())
    assert (run.status, run.error["code"], run.error["is_retryable"]) == (Status.FAILED, "refused", False)


def test_a_refusal_that_the_workflow_caught_is_a_step_and_the_same_in_every_replay(define, start, go, script):
    script({"refusal": "No."})
    passes = []

    def work(flow):
        try:
            flow.ask("write", ask_for("Something bad"))
        except ModelError as error:
            passes.append(error.code)
        flow.step("after", lambda: None)
        if len(passes) == 1:
            raise RuntimeError
        return "handled"

    run = start(define(work))
    go(run)
    assert go(run, later=60).output == "handled"
    assert passes == ["refused", "refused"]
    assert run.steps.get(key="write").error["code"] == "refused"


def test_a_spent_budget_stops_the_run_and_more_money_lets_it_go_on(define, start, go, script, in_workspace, bob_actor):
    AISettings.objects.create(workspace=in_workspace, run_cap_micro=1)
    define(lambda flow: flow.ask("write", ask_for("A post"))["text"])
    run = go(start())
    assert (run.status, run.error["code"]) == (Status.OVER_BUDGET, "over_budget")
    assert not run.steps.exists()
    script({"text": "Now"})
    AISettings.objects.update(run_cap_micro=1_000_000)
    assert go(resume_run(run, by=bob_actor)).output == "Now"


def test_a_run_keeps_to_its_own_cap(define, start, go, sandbox):
    define(lambda flow: flow.ask("write", ask_for("A post")))
    assert go(start(cap_micro=1)).status == Status.OVER_BUDGET
    assert sandbox.get("/llm/calls")["calls"] == []


def test_a_run_keeps_to_its_campaigns_cap(define, start, go, sandbox, monkeypatch):
    from uuid import uuid4

    monkeypatch.setitem(CAPS, "campaign", lambda _id: 1)
    define(lambda flow: flow.ask("write", ask_for("A post")))
    assert go(start(campaign_id=uuid4())).status == Status.OVER_BUDGET


def overloaded(sandbox):
    sandbox.fault("http", platform="anthropic", status=529, body="overloaded_error", count=20)


@pytest.fixture
def impatient(settings):
    settings.MODEL_DEADLINE_S = 0.5


def test_outside_a_thread_a_busy_provider_is_asked_again_later(define, start, go, sandbox, impatient):
    overloaded(sandbox)
    define(lambda flow: flow.ask("write", ask_for("A post"))["text"])
    run = start()
    assert go(run).status == Status.QUEUED
    sandbox.post("/reset")
    sandbox.post("/llm/script", steps=[{"text": "At last"}])
    assert go(run, later=400).output == "At last"


def test_in_a_thread_a_busy_provider_is_told_at_once(define, start, go, thread, sandbox, impatient):
    overloaded(sandbox)
    define(lambda flow: flow.ask("write", ask_for("A post")))
    run = go(start(thread=thread))
    assert (run.status, run.error["is_retryable"]) == (Status.FAILED, True)


def test_the_status_says_whose_turn_it_is(define, start, go, script):
    script({"text": "Hello"})
    seen = []

    def work(flow):
        flow.ask("write", ask_for("A post"), agent="writer")
        seen.append(run_status(Run.objects.get(pk=flow.run.pk))["current_agent"])

    go(start(define(work)))
    assert seen == ["writer"]


# --- streaming --------------------------------------------------------------------------------------------


def test_a_stream_can_be_read_along_and_read_on(define, start, go, script):
    script({"text": "热玛吉 and a long, long sentence about coffee."})
    define(lambda flow: flow.ask("write", ask_for("A post"), is_streamed=True)["text"])
    run = go(start())
    whole, end = read_partial(run.pk, 1)
    assert whole == run.output == "热玛吉 and a long, long sentence about coffee."
    assert end == len(whole.encode())
    assert read_partial(run.pk, 1, 9)[0] == whole.encode()[9:].decode()
    assert read_partial(run.pk, 1, end) == ("", end)
    assert read_partial(run.pk, 2) == ("", 0)


def test_another_try_of_a_step_begins_with_nothing(start, define):
    run = start(define(lambda flow: None))
    append_partial(run.pk, 1, "Half a")
    begin_partial(run.pk, 1)
    append_partial(run.pk, 1, "A whole")
    assert read_partial(run.pk, 1) == ("A whole", 7)


def test_without_valkey_a_run_goes_on(define, start, go, script, settings):
    script({"text": "Hello"})
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    define(lambda flow: flow.ask("write", ask_for("A post"), is_streamed=True)["text"])
    run = go(start())
    assert run.output == "Hello"
    assert read_partial(run.pk, 1) == ("", 0)
    assert partial.read_agent(run.pk) == ""


def test_a_stream_that_nobody_wants_any_more_ends(define, start, go, script, monkeypatch, bob_actor):
    from agents.runs.services import cancel_run

    script({"text": "word " * 50})
    heard = []

    def cancel_after_three(run_id, _n, text):
        heard.append(text)
        if len(heard) == 3:
            cancel_run(run, by=bob_actor)
            lost.append(True)

    lost = []

    def listener(flow, event):
        real = original(flow, event)

        def hear(text):
            if lost:
                event.set()
            real(text)

        return hear

    from agents.runs.flow import Flow

    original = Flow._listener
    monkeypatch.setattr(Flow, "_listener", listener)
    monkeypatch.setattr(partial, "append_partial", cancel_after_three)
    run = start(define(lambda flow: flow.ask("write", ask_for("A post"), is_streamed=True)))
    done = go(run)
    assert (done.status, len(heard), done.step_count) == (Status.CANCELED, 3, 0)
    assert ModelCall.objects.get().status != "open"
