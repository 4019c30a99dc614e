"""What runs did, for people to read: lists, and one run as a tree of steps, calls, questions and effects."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import Http404

from accounts.access import Actor, Perm
from accounts.models import User, Workspace
from agents.models import Effect, Interrupt, ModelCall, Run, Score, Step
from agents.workflows.registry import private_workflows
from lib.text import storable

MAX_WORDS = 6
NAMES = {"up": "Good", "down": "Bad"}


@dataclass(frozen=True)
class Node:
    """One step with what belongs to it. Times in milliseconds, since the run began."""

    step: Step
    calls: Sequence[ModelCall]
    begins_ms: int
    took_ms: int
    # Of the whole run, in hundredths: where its bar begins and how long it is.
    left: int = 0
    width: int = 0


@dataclass(frozen=True)
class Trace:
    run: Run
    nodes: Sequence[Node]
    # Calls that led to no step: failed for good, or cut off by a kill.
    stray_calls: Sequence[ModelCall]
    interrupts: Sequence[Interrupt]
    effects: Sequence[Effect]
    scores: Sequence[Score]
    totals: Mapping[str, int] = field(default_factory=dict)


def visible_runs(by: Actor) -> QuerySet[Run]:
    by.require(Perm.VIEW)
    return runs_shown_to(by.user, by.workspace)


def runs_shown_to(user: User | None, workspace: Workspace) -> QuerySet[Run]:
    """Those of the workspace; of conversations and of what works with a person's own memory, only one's own.

    Without a person it is an integrator, whose conversations are those without one.
    """
    shared = Q(thread=None) & ~Q(workflow__in=private_workflows())
    talks = Q(thread__isnull=False, thread__user=user)
    own = talks | Q(thread=None, user=user) if user else talks
    return Run.objects.filter(shared | own, workspace=workspace)


def find_runs(
    by: Actor, *, words: str = "", status: str = "", workflow: str = "", person: UUID | None = None
) -> QuerySet[Run]:
    """Newest first. All words must stand in what went in, came out or went wrong."""
    rows = visible_runs(by).select_related("user", "assistant")
    wanted = {"status": status, "workflow": workflow, "user": person}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    for word in words.split()[:MAX_WORDS]:
        texts = {f"{name}_text": Cast(name, TextField()) for name in ("input", "output", "error")}
        rows = rows.alias(**texts).filter(
            Q(input_text__icontains=word)
            | Q(output_text__icontains=word)
            | Q(error_text__icontains=word)
            | Q(steps__output__icontains=word)
        )
    return rows.distinct() if words.split() else rows


def title_of(run: Run) -> str:
    """What it was asked, in a line."""
    asked = run.input if isinstance(run.input, dict) else {}
    text = next((asked[name] for name in ("message", "brief", "topic", "text") if asked.get(name)), "")
    return str(text)[:120] or run.workflow.replace("_", " ").capitalize()


def get_run(by: Actor, run_id: UUID) -> Run:
    run = visible_runs(by).select_related("user", "assistant", "prompt_version", "thread").filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run


def trace_of(run: Run) -> Trace:
    calls = list(ModelCall.objects.filter(run_id=run.pk).order_by("started_at"))
    by_step: dict[str, list[ModelCall]] = defaultdict(list)
    for call in calls:
        by_step[call.step_key].append(call)
    steps = list(run.steps.all())
    keys = {step.key for step in steps}
    return Trace(
        run=run,
        nodes=_nodes(run, steps, by_step),
        stray_calls=[call for call in calls if call.step_key not in keys],
        interrupts=list(run.interrupts.all()),
        effects=list(run.effects.order_by("at")),
        scores=list(run.scores.select_related("user")),
        totals={
            "cost_micro": sum(call.cost_micro for call in calls),
            "calls": len(calls),
            "input_tokens": sum(call.input_tokens for call in calls),
            "cached_tokens": sum(call.cached_tokens for call in calls),
            "output_tokens": sum(call.output_tokens for call in calls),
        },
    )


def _nodes(run: Run, steps: Sequence[Step], by_step: Mapping[str, list[ModelCall]]) -> list[Node]:
    begin = min((step.started_at for step in steps), default=run.created_at)
    last = max((step.ended_at for step in steps), default=begin)
    whole = max(1, _ms(last - begin))
    return [
        Node(
            step,
            by_step.get(step.key, []),
            starts := _ms(step.started_at - begin),
            took := _ms(step.ended_at - step.started_at),
            left=100 * starts // whole,
            width=max(1, 100 * took // whole),
        )
        for step in steps
    ]


def _ms(span: Any) -> int:
    return max(0, round(span.total_seconds() * 1000))


def score_run(run: Run, name: str, *, by: Actor, comment: str = "") -> Score:
    """A person's thumb: "up" or "down". The newest counts; a second one of the same person replaces the first."""
    by.require(Perm.CONTENT_EDIT)
    if name not in NAMES:
        raise Http404
    Score.objects.filter(run=run, user=by.user, name="thumb").delete()
    return Score.objects.create(
        workspace=by.workspace,
        run=run,
        user=by.user,
        name="thumb",
        value=1.0 if name == "up" else 0.0,
        comment=storable(comment)[:1_000],
    )


def workflows_used(by: Actor) -> list[str]:
    return list(visible_runs(by).order_by("workflow").values_list("workflow", flat=True).distinct())
