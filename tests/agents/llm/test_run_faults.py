"""Faults that concern runs, with the model on each wire: loops, dead workers, two yeses, an edited prompt."""

from dataclasses import replace

import pytest
from django.conf import settings as django_settings

from agents.llm.types import Said
from agents.models import Assistant, Effect, PromptLabel, PromptVersion, Run
from agents.prompts import serving
from agents.runs.errors import AlreadyAnswered
from agents.runs.services import answer_interrupt
from agents.runs.tools import ToolSpec
from tests.agents.llm.conftest import ASK, FOUR, WEATHER

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What no handler of ours catches."""


@pytest.fixture(params=FOUR)
def port(request, speaking):
    return speaking(request.param)


@pytest.fixture
def ask(port):
    return replace(ASK, models=(port.case.model,))


def test_f09_a_model_that_never_stops_calling_is_stopped(port, ask, define, start, go):
    port.fault("tool_loop", count=50, name="weather", args={"city": "Rome"})
    tools = {"weather": ToolSpec(WEATHER.schema, lambda args: "sunny")}
    run = go(start(define(lambda flow: flow.agent("look", ask, tools=tools, max_rounds=5))))
    assert (run.status, run.error["code"]) == (Run.Status.FAILED, "max_rounds")
    assert len(port.calls()) == 5


def test_f18_a_worker_that_dies_in_a_tool_leaves_one_effect(port, ask, define, start, go):
    deaths = [Killed()]

    def effect():
        if deaths:
            raise deaths.pop()
        return "sent"

    def work(flow):
        flow.ask("write", ask)
        return flow.act("send", tool="send", args={}, do=effect)

    run = start(define(work))
    with pytest.raises(Killed):
        go(run)
    done = go(run, later=django_settings.RUN_LEASE_S + 1)
    assert (done.status, done.output, Effect.objects.count()) == (Run.Status.SUCCEEDED, "sent", 1)
    assert len(port.calls()) == 1


def test_f19_a_second_yes_changes_nothing(port, ask, define, start, go, rita_actor, alice_actor):
    sent = []

    def work(flow):
        text = flow.ask("write", ask)["text"]
        args = {"text": text}
        flow.approve("go", action="send", args=args)
        return flow.act("send", tool="send", args=args, do=lambda: sent.append(text), approval="go")

    run = go(start(define(work)))
    asked = run.interrupts.get()
    answer_interrupt(asked, "approved", by=rita_actor)
    done = go(run)
    with pytest.raises(AlreadyAnswered):
        answer_interrupt(asked, "approved", by=alice_actor)
    assert (go(run).status, done.status, len(sent)) == (Run.Status.SUCCEEDED, Run.Status.SUCCEEDED, 1)
    assert len(port.calls()) == 1


def test_f20_a_run_ends_on_the_prompt_it_began_with(port, ask, define, start, go, in_workspace):
    assistant = Assistant.objects.create(workspace=in_workspace, key="barista", name="Barista")

    def publish(number, body):
        version = PromptVersion.objects.create(
            workspace=in_workspace, assistant=assistant, number=number, body=body, sha256=serving.sha256_of(body)
        )
        PromptLabel.objects.update_or_create(
            workspace=in_workspace, assistant=assistant, label="production", defaults={"version": version}
        )

    def work(flow):
        flow.ask("first", replace(ask, system=flow.prompt("barista")))
        flow.step("edit", lambda: publish(2, "Be rude."))
        flow.ask("second", replace(ask, system=flow.prompt("barista"), messages=(Said("user", "And again."),)))

    publish(1, "Be kind.")
    assert go(start(define(work))).status == Run.Status.SUCCEEDED
    told = [str(call["request"]) for call in port.calls()]
    assert ["Be kind." in text for text in told] == [True, True]
    assert not any("Be rude." in text for text in told)
