"""A model with tools: a fixed list, bounded rounds, and no effect without a person's yes."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from agents.llm.types import Ask, Said
from agents.models import Effect, Interrupt, Run, Step
from agents.runs.services import answer_interrupt
from agents.runs.steps import add_step
from agents.runs.tools import ToolSpec
from lib.clock import now

pytestmark = pytest.mark.django_db
Status = Run.Status
ASK = Ask(role="chat", system="Use tools.", messages=(Said("user", "Do it"),), models=("sandbox-scripted",))
POST = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
    "additionalProperties": False,
}


@pytest.fixture
def sent():
    return []


@pytest.fixture
def tools(sent):
    def refuse(args):
        raise PermissionDenied("Not for you.")

    return {
        "look": ToolSpec(POST, lambda args: {"seen": args["text"]}, description="Looks something up"),
        "fail": ToolSpec(POST, refuse),
        "send": ToolSpec(POST, lambda args: sent.append(args["text"]) or {"sent": True}, has_effect=True),
    }


@pytest.fixture
def agent(define, start, go, sandbox, tools):
    """A run of an agent that is told these steps; the run after its first claim."""

    def make(*steps, **options):
        sandbox.post("/llm/script", steps=list(steps))
        define(lambda flow: flow.agent("work", ASK, tools=tools, agent="doer", **options)["text"])
        return go(start())

    return make


@pytest.fixture
def results(sandbox):
    """What the model was told about its calls, oldest first."""

    def read():
        calls = sandbox.get("/llm/calls")["calls"]
        last = max(calls, key=lambda call: call["id"])["request"]
        said = [message["content"] for message in last["messages"] if isinstance(message["content"], list)]
        parts = [part for content in said for part in content if part["type"] == "tool_result"]
        return [(bool(part.get("is_error")), str(part["content"])) for part in parts]

    return read


def call(name, **args):
    return {"name": name, "args": args}


def test_a_tool_that_only_looks_is_used_at_once(agent, results):
    run = agent({"calls": [call("look", text="beans")]}, {"text": "There are beans."})
    assert (run.status, run.output) == (Status.SUCCEEDED, "There are beans.")
    assert results() == [(False, '{"seen": "beans"}')]
    assert list(run.steps.values_list("key", "kind")) == [("work 1", "llm"), ("work 1.1", "tool"), ("work 2", "llm")]


def test_the_model_is_offered_exactly_the_list(agent, sandbox):
    agent({"text": "Nothing to do"})
    (made,) = sandbox.get("/llm/calls")["calls"]
    assert sorted(tool["name"] for tool in made["request"]["tools"]) == ["fail", "look", "send"]


def test_an_effect_waits_for_a_person_and_happens_once(agent, go, rita_actor, sent, results):
    run = agent({"calls": [call("send", text="Hello")]}, {"text": "Sent."})
    assert (run.status, sent) == (Status.WAITING, [])
    asked = run.interrupts.get()
    assert (asked.action, asked.args) == ("send", {"text": "Hello"})
    answer_interrupt(asked, "approved", by=rita_actor)
    assert go(run).output == "Sent."
    assert sent == ["Hello"]
    assert Effect.objects.get().args_sha256 == asked.args_sha256
    assert results() == [(False, '{"sent": true}')]


def test_a_refused_effect_does_not_happen_and_the_model_hears_why(agent, go, rita_actor, sent, results):
    run = agent({"calls": [call("send", text="Hello")]}, {"text": "All right."})
    answer_interrupt(run.interrupts.get(), "rejected", given={"note": "Too loud."}, by=rita_actor)
    assert go(run).output == "All right."
    assert sent == []
    assert results() == [(True, "A person declined this. Too loud.")]


WRONG = [
    (call("destroy", text="all"), "There is no tool called destroy"),
    ({"name": "send", "args": None}, "not a JSON object"),
    ({"name": "send", "args": ["Hello"]}, "not a JSON object"),
    (call("send", text=7), "7 is not of type"),
    (call("send", text="Hello", to="everybody"), "Additional properties"),
    (call("send"), "'text' is a required property"),
]


@pytest.mark.parametrize(("made", "told"), WRONG)
def test_a_wrong_call_is_never_done_whoever_let_it_through(
    define, start, go, sandbox, tools, made, told, sent, results
):
    sandbox.post("/llm/script", steps=[{"text": "I see."}])
    run = start(define(lambda flow: flow.agent("work", ASK, tools=tools)["text"]))
    answer = {"text": "", "tool_calls": [{"id": "call_1", "raw": "", **made}]}
    add_step(run, "work 1", Step.Kind.LLM, now(), output=answer)
    Run.objects.update(step_count=1)
    done = go(run)
    assert (done.status, done.output, sent) == (Status.SUCCEEDED, "I see.", [])
    ((is_error, text),) = results()
    assert (is_error, told in text) == (True, True)
    assert not Interrupt.objects.exists()


def test_a_model_that_cannot_write_a_call_fails_the_run(agent, sent):
    wrong = {"calls": [call("send", text=7)]}
    run = agent(wrong, wrong)
    assert (run.status, run.error["code"], sent) == (Status.FAILED, "bad_output", [])
    assert not Interrupt.objects.exists()


def test_a_tool_that_refuses_says_why(agent, results):
    run = agent({"calls": [call("fail", text="x")]}, {"text": "I see."})
    assert (run.output, results()) == ("I see.", [(True, "Not for you.")])


def test_several_calls_at_once_are_asked_for_one_by_one(agent, go, rita_actor, sent):
    run = agent({"calls": [call("send", text="one"), call("send", text="two")]}, {"text": "Done."})
    for said in ("approved", "rejected"):
        answer_interrupt(run.interrupts.get(answer=""), said, by=rita_actor)
        run = go(run)
    assert (run.output, sent) == ("Done.", ["one"])


def test_a_flood_of_calls_is_cut(agent, results):
    run = agent({"calls": [call("look", text=str(n)) for n in range(12)]}, {"text": "Enough."})
    assert run.output == "Enough."
    assert [is_error for is_error, _text in results()] == [False] * 8 + [True] * 4


def test_an_endless_loop_ends(agent, sandbox):
    run = agent(*[{"calls": [call("look", text="again")]}] * 8)
    assert (run.status, run.error["code"]) == (Status.FAILED, "max_rounds")
    assert len(sandbox.get("/llm/calls")["calls"]) == 8


def test_an_effect_that_the_service_refuses_is_told(define, start, go, sandbox, rita_actor, results):
    def refuse(args):
        raise ValidationError("The account is gone.")

    sandbox.post("/llm/script", steps=[{"calls": [call("send", text="x")]}, {"text": "Sorry."}])
    tools = {"send": ToolSpec(POST, refuse, has_effect=True)}
    run = go(start(define(lambda flow: flow.agent("work", ASK, tools=tools)["text"])))
    answer_interrupt(run.interrupts.get(), "approved", by=rita_actor)
    assert go(run).output == "Sorry."
    assert results() == [(True, "The account is gone.")]
    assert not Effect.objects.exists()
