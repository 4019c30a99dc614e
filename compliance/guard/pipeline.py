"""All engines over one draft. The strictest wins; an engine that fails means review, never allow."""

from collections.abc import Sequence
from time import perf_counter_ns

import structlog

from compliance.guard.engines import ENGINES
from compliance.guard.port import Answer, Context, Decision, Draft, Engine, EngineRun, Hit, Severity, verdict_of
from compliance.guard.rules import RuleSet

log = structlog.get_logger(__name__)
FAILED = "GUARD-FAILED"


def check(draft: Draft, context: Context, rules: RuleSet, engines: Sequence[Engine] | None = None) -> Decision:
    hits: list[Hit] = []
    runs: list[EngineRun] = []
    disclosure = None
    for engine in ENGINES if engines is None else engines:
        began = perf_counter_ns()
        answer, error = _ask(engine, draft, context, rules)
        hits += answer.hits
        disclosure = answer.disclosure or disclosure
        runs.append(EngineRun(engine.name, (perf_counter_ns() - began) // 1000, error))
    hits.sort(key=lambda hit: (hit.part, hit.start, hit.end, hit.rule))
    return Decision(verdict_of(hits), tuple(hits), disclosure, tuple(runs))


def _ask(engine: Engine, draft: Draft, context: Context, rules: RuleSet) -> tuple[Answer, str]:
    try:
        return engine.check(draft, context, rules), ""
    except Exception as fault:
        # A fault of ours must not let anything through.
        log.exception("guard_engine_failed", engine=engine.name)
        text = f"The {engine.name} check could not be made, so a person has to look."
        return Answer((Hit(FAILED, Severity.REVIEW, message=text),)), type(fault).__name__
