"""A prompt tried on recorded runs before it goes into use.

The workflow is played again with what was recorded: results of steps, answers of models, decisions of people. Only a
call whose words the new prompt changes has no record. It is asked for real where the person wants that, within the
budget; otherwise it is named as open, never guessed. Nothing is written or done outside.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import User
from accounts.scope import all_workspaces_scope, workspace_scope
from agents import llm
from agents.llm.types import Ask, ModelError, Payer, Stop
from agents.models import Assistant, PromptVersion, Replay, Run, Step
from agents.prompts import render
from agents.prompts.serving import as_source, resolve_in
from agents.runs.errors import RunFailed
from agents.runs.flow import Flow, as_json
from agents.runs.identity import actor_of, digest, plain
from agents.runs.steps import prompt_step
from agents.traces import runs_shown_to, title_of
from agents.workflows.registry import WORKFLOWS
from compliance.guard_check import MAX_TEXT, Question, check_text
from lib.clock import now
from lib.locks import held_lock

MOST_RUNS = 20
SHOWN = 4_000


class Missing(Exception):
    """A call of which there is no record, and that nobody wanted to be made."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass
class Played:
    output: Any = None
    # Calls without a record: asked anew, or where the play ended.
    asked: list[str] = field(default_factory=list)
    missing: str = ""
    error: str = ""
    cost_micro: int = 0


class RecordedFlow(Flow):
    """Answers a workflow from the rows of its former run. Nothing is written."""

    def __init__(self, run: Run, by: Actor, key: str, body: str, *, payer: Payer | None) -> None:
        super().__init__(run, by)
        self._key, self._body, self._payer = key, body, payer
        self.played = Played()

    def step(
        self, key: str, do: Callable[[], Any], *, kind: str = Step.Kind.PLAIN, agent: str = "", input: Any = None
    ) -> Any:
        recorded = self.done.get(key)
        return recorded.output if recorded else plain(do())

    def ask(self, key: str, ask: Ask, *, agent: str = "", is_streamed: bool = False) -> dict[str, Any]:
        recorded = self.done.get(key)
        if recorded and recorded.input_sha256 == digest(asdict(ask)):
            if recorded.error:
                raise ModelError(recorded.error["code"], recorded.error["message"])
            return dict(recorded.output or {})
        if self._payer is None:
            raise Missing(key)
        self.played.asked.append(key)
        answer = llm.complete(ask, payer=self._payer)
        self.played.cost_micro += answer.cost_micro
        if answer.stop is Stop.REFUSAL:
            raise ModelError("refused", "The model declined to answer this.")
        return as_json(answer)

    def act(self, key: str, *, tool: str, args: Mapping[str, Any], do: Any, **_options: Any) -> Any:
        recorded = self.done.get(key)
        return recorded.output if recorded and not recorded.error else {"skipped": "replay"}

    def approve(self, key: str, **_options: Any) -> dict[str, Any]:
        recorded = self.done.get(key)
        return dict(recorded.output or {}) if recorded else {"answer": "rejected", "given": {}, "by": ""}

    def prompt(self, key: str, **variables: Any) -> str:
        if key == self._key:
            return str(render(self._body, variables))
        pinned = self.done.get(prompt_step(key))
        if pinned is None:
            return super().prompt(key, **variables)
        return str(render((pinned.output or {})["body"], variables))

    def say(self, text: str, citations: Any = (), **_options: Any) -> None:
        """Nobody hears it."""

    def report(self, text: str) -> None:
        """Nobody watches."""

    def scope(self) -> AbstractContextManager[None]:
        return workspace_scope(self.run.workspace_id)


# --- acts -------------------------------------------------------------------------------------------------


def start_replay(assistant: Assistant, version: PromptVersion, *, by: Actor, is_live: bool = False) -> Replay:
    """Queue it. `is_live` asks the changed calls for real, which costs."""
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        replay = Replay.objects.create(
            workspace=by.workspace, assistant=assistant, version=version, created_by=by.user, is_live=is_live
        )
        audit.record("prompt.replay", replay, by=by, assistant=assistant.key, version=version.number, is_live=is_live)
    return replay


def recorded_runs(assistant: Assistant, user: User | None, most: int = MOST_RUNS) -> list[Run]:
    """The newest that this person may see, that ended well and were told by this assistant's prompt."""
    used = Step.objects.filter(workspace=assistant.workspace_id, key=prompt_step(assistant.key))
    shown = runs_shown_to(user, assistant.workspace)
    rows = shown.filter(pk__in=used.values("run_id"), status=Run.Status.SUCCEEDED, replay_of=None)
    return list(rows.select_related("workspace", "user", "thread").order_by("-created_at")[:most])


def results_for(replay: Replay, user: User | None) -> list[dict[str, Any]]:
    """Without those of runs that only somebody else may see."""
    named = [UUID(row["run"]) for row in replay.results]
    shown = runs_shown_to(user, replay.workspace).filter(pk__in=named).values_list("pk", flat=True)
    seen = {str(pk) for pk in shown}
    return [row for row in replay.results if row["run"] in seen]


def queued_replays() -> list[tuple[UUID, UUID]]:
    with all_workspaces_scope("replays that wait"):
        rows = Replay.objects.filter(status=Replay.Status.QUEUED).order_by("created_at")
        return list(rows.values_list("workspace_id", "pk")[:MOST_RUNS])


def take_replay(workspace_id: UUID, replay_id: UUID) -> None:
    """Once, whoever is told: a lock that ends with its worker keeps a second one away."""
    with held_lock(f"replay {replay_id}") as is_only:
        if not is_only:
            return
        with workspace_scope(workspace_id):
            queued = Replay.objects.select_related("created_by").filter(status=Replay.Status.QUEUED)
            replay = queued.filter(pk=replay_id).first()
        if replay:
            run_replay(replay)


def run_replay(replay: Replay) -> None:
    """Play them all and write down what changes. Expects no transaction: calls to models may be among it."""
    with workspace_scope(replay.workspace_id):
        version = PromptVersion.objects.select_related("assistant__workspace", "workspace").get(pk=replay.version_id)
        body = resolve_in(version.workspace, as_source(version)).body
        runs = recorded_runs(version.assistant, replay.created_by)
    results = []
    for run in runs:
        played = _play(run, version.assistant.key, body, replay)
        with workspace_scope(replay.workspace_id):
            results.append(_result(run, played))
    with workspace_scope(replay.workspace_id):
        Replay.objects.filter(pk=replay.pk).update(status=Replay.Status.DONE, results=plain(results), ended_at=now())


def _play(run: Run, key: str, body: str, replay: Replay) -> Played:
    payer = Payer(workspace=run.workspace, key=f"replay:{replay.pk}:{run.pk}", step_key="replay")
    try:
        with workspace_scope(run.workspace_id):
            flow = RecordedFlow(run, actor_of(run), key, body, payer=payer if replay.is_live else None)
    except PermissionDenied:
        return Played(error="The person it ran for has no access any more.")
    try:
        flow.played.output = plain(WORKFLOWS[run.workflow].run(flow))
    except Missing as missing:
        flow.played.missing = missing.key
    except (ModelError, RunFailed) as error:
        flow.played.error = error.text
    except (KeyError, TypeError, ValueError) as error:
        # Recorded rows of an older form of the workflow.
        flow.played.error = f"It cannot be played again: {error}"
    return flow.played


def _result(run: Run, played: Played) -> dict[str, Any]:
    before, after = text_of(run.output), text_of(played.output)
    is_known = not played.missing and not played.error
    actor = actor_of(run) if is_known else None
    return {
        "run": str(run.pk),
        "title": title_of(run),
        "before": before[:SHOWN],
        "after": after[:SHOWN] if is_known else "",
        "is_changed": is_known and before != after,
        "verdict_before": _verdict(before, actor),
        "verdict_after": _verdict(after, actor),
        "asked": played.asked,
        "missing": played.missing,
        "error": played.error[:300],
        "cost_micro": played.cost_micro,
    }


def text_of(output: Any) -> str:
    """The words that a run brought, whatever its shape."""
    if isinstance(output, str):
        return output
    if isinstance(output, dict):
        for name in ("text", "draft", "output"):
            if isinstance(output.get(name), str):
                return str(output[name])
        return "\n\n".join(filter(None, (text_of(value) for value in output.values())))
    if isinstance(output, list):
        return "\n\n".join(filter(None, (text_of(value) for value in output)))
    return ""


def _verdict(text: str, actor: Actor | None) -> str:
    return check_text(Question(text[:MAX_TEXT]), by=actor).verdict.value if text and actor else ""
