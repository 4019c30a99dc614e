"""Alice's Roastery writes with the sandbox's models: an X account, a Telegram channel, a claim and words to avoid."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from accounts.access import Actor
from accounts.models import Workspace
from agents.models import BrandClaim, MemoryBlock, Run
from agents.runs.worker import advance
from campaigns.models import Plan, PlanLine
from campaigns.plans import start_plan
from social.models import Connection
from tests.agents.conftest import sandbox, sandbox_process  # noqa: F401 fixtures

BRIEF = "Promote our new decaf from Huila, 20 % off in June https://roastery.example/decaf #decaf"


@pytest.fixture
def channel(in_workspace: Workspace) -> Connection:
    return Connection.objects.create(
        workspace=in_workspace, network="telegram", kind="channel", remote_id="-1001", handle="beanery", name="Beanery"
    )


@pytest.fixture
def brand(in_workspace: Workspace) -> Workspace:
    MemoryBlock.objects.create(workspace=in_workspace, label="voice", text="Warm and plain.")
    MemoryBlock.objects.create(workspace=in_workspace, label="words_avoid", text="cheap, 便宜")
    BrandClaim.objects.create(
        workspace=in_workspace, text="Our decaf is made without solvents.", source="https://roastery.example/method"
    )
    return in_workspace


@pytest.fixture
def run_to_end(in_workspace: Workspace) -> Callable[[object], Run]:
    """As a worker would, now."""

    def drive(run_id: Any) -> Run:
        advance(run_id)
        return Run.objects.get(pk=run_id)

    return drive


@pytest.fixture
def plan(sandbox, roastery: Connection, channel: Connection, brand, bob_actor: Actor) -> Plan:  # noqa: F811
    """Started by bob for both accounts in English and Chinese; no agent has begun."""
    return start_plan(BRIEF, by=bob_actor, connections=[roastery.pk, channel.pk], languages=["en", "zh"])


@pytest.fixture
def small(sandbox, roastery: Connection, brand, bob_actor: Actor) -> Plan:  # noqa: F811
    """One English post for X: five calls instead of seventeen."""
    return start_plan(BRIEF, by=bob_actor, connections=[roastery.pk], languages=["en"])


@pytest.fixture
def ready(plan: Plan, run_to_end) -> Plan:
    """The same with its proposal."""
    run = run_to_end(plan.run_id)
    assert run.status == Run.Status.SUCCEEDED, run.error
    plan.refresh_from_db()
    return plan


@pytest.fixture
def script(sandbox) -> Callable[..., None]:  # noqa: F811
    """What the models answer, in order: each a dict (as JSON) or a text, for the role's model or all."""

    def order(*answers: Any, match: Mapping[str, Any] | None = None) -> None:
        steps = [one if "refusal" in one else {"json": one} for one in answers]
        sandbox.post("/llm/script", steps=[{"model": "*", "match": dict(match or {})} | step for step in steps])

    return order


@pytest.fixture
def written_small(small: Plan, run_to_end) -> Plan:
    run_to_end(small.run_id)
    small.refresh_from_db()
    return small


def lines_of(plan: Plan) -> list[PlanLine]:
    return list(PlanLine.objects.filter(plan=plan).select_related("connection", "plan"))
