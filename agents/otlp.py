"""Ended runs as OpenTelemetry traces, over OTLP/HTTP with JSON. Langfuse, Jaeger and others read them.

Attributes follow the semantic conventions for generative AI; https://opentelemetry.io/docs/specs/otlp/ has the shapes.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import requests
import structlog
from django.conf import settings

from accounts.scope import all_workspaces_scope, workspace_scope
from agents.models import ModelCall, Run, Step
from agents.runs.identity import root_span_id
from lib.clock import now
from lib.http import open_session

log = structlog.get_logger(__name__)
BATCH = 50
TIMEOUT_S = 10.0
INTERNAL, CLIENT = 1, 3
OK, ERROR = 1, 2
TEXT = 8_000


def export_traces() -> int:
    """Send what ended since the last time; answers how many runs. At least once: a lost answer means again."""
    if not settings.OTLP_ENDPOINT:
        return 0
    with all_workspaces_scope("traces to export"):
        rows = Run.objects.filter(exported_at=None, ended_at__isnull=False).order_by("ended_at")
        due = list(rows.values_list("workspace_id", "pk")[:BATCH])
    spans = []
    for workspace_id, run_id in due:
        with workspace_scope(workspace_id):
            spans += spans_of(Run.objects.select_related("workspace").get(pk=run_id))
    if not due or not send(spans):
        return 0
    with all_workspaces_scope("traces that were exported"):
        Run.objects.filter(pk__in=[run_id for _workspace, run_id in due]).update(exported_at=now())
    return len(due)


def send(spans: Sequence[dict[str, Any]], *, scope: str = "agents") -> bool:
    """False where nobody took them."""
    headers = {"Content-Type": "application/json"}
    headers |= dict(pair.split("=", 1) for pair in settings.OTLP_HEADERS if "=" in pair)
    try:
        answer = open_session(TIMEOUT_S).post(
            settings.OTLP_ENDPOINT, data=json.dumps(payload(spans, scope)), headers=headers
        )
        answer.raise_for_status()
    except requests.RequestException as error:
        log.warning("otlp_failed", error=type(error).__name__, spans=len(spans))
        return False
    return True


def payload(spans: Sequence[dict[str, Any]], scope: str = "agents") -> dict[str, Any]:
    resource = {"attributes": attributes({"service.name": "rostrum"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def spans_of(run: Run) -> list[dict[str, Any]]:
    """The run's own span, and one for each of its steps. Expects the workspace's scope."""
    calls = {call.step_key: call for call in ModelCall.objects.filter(run_id=run.pk).order_by("started_at")}
    return [_run_span(run), *(_step_span(run, step, calls.get(step.key)) for step in run.steps.all())]


def _run_span(run: Run) -> dict[str, Any]:
    facts = {
        "langfuse.trace.name": run.workflow,
        "langfuse.user.id": str(run.user_id or ""),
        "langfuse.session.id": str(run.thread_id or ""),
        "rostrum.workspace": run.workspace.slug,
        "rostrum.run": str(run.pk),
        "rostrum.status": run.status,
        "input.value": _text(run.input),
        "output.value": _text(run.output),
    }
    error = (run.error or {}).get("message", "")
    return _span(
        run.trace_id, root_span_id(run), "", run.workflow, INTERNAL, run.created_at, run.ended_at, facts, error
    )


def _step_span(run: Run, step: Step, call: ModelCall | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "rostrum.step": step.key,
        "rostrum.kind": step.kind,
        "gen_ai.agent.name": step.agent,
        "input.value": _text(step.input),
        "output.value": _text(step.output),
    }
    if call:
        facts |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": call.provider,
            "gen_ai.request.model": call.model,
            "gen_ai.usage.input_tokens": step.input_tokens,
            "gen_ai.usage.output_tokens": step.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": call.cached_tokens,
            "gen_ai.usage.cost": step.cost_micro / 1_000_000,
            "langfuse.observation.prompt.version": step.prompt_sha256[:12],
        }
    error = (step.error or {}).get("message", "")
    return _span(
        run.trace_id,
        step.span_id,
        step.parent_span_id or root_span_id(run),
        step.key,
        CLIENT if call else INTERNAL,
        step.started_at,
        step.ended_at,
        facts,
        error,
    )


def _span(
    trace: str,
    span: str,
    parent: str,
    name: str,
    kind: int,
    start: datetime,
    end: datetime | None,
    facts: dict[str, Any],
    error: str,
) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": span,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": _nanos(start),
        "endTimeUnixNano": _nanos(end or start),
        "attributes": attributes(facts),
        "status": {"code": ERROR, "message": error} if error else {"code": OK},
    }


def attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in facts.items() if value not in ("", None)]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        # 64 bits: JSON has them as a string.
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _nanos(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000) * 1_000)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:TEXT]
