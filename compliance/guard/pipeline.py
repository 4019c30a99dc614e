"""All engines over one draft. The strictest wins; an engine that fails means review, never allow."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter_ns

import structlog

from compliance.guard.engines import ENGINES
from compliance.guard.port import Answer, Context, Decision, Draft, Engine, EngineRun, Hit, Severity, verdict_of
from compliance.guard.rules import RuleSet

log = structlog.get_logger(__name__)
FAILED = "GUARD-FAILED"
# Those that look at words alone.
TEXT_ENGINES = {"phrases", "pii", "claims"}


def check(draft: Draft, context: Context, rules: RuleSet, engines: Sequence[Engine] | None = None) -> Decision:
    hits: list[Hit] = []
    runs: list[EngineRun] = []
    disclosure = None
    for engine in ENGINES if engines is None else engines:
        began = perf_counter_ns()
        answer, error = _ask(engine, draft, context, rules)
        hits += answer.hits
        disclosure = answer.disclosure or disclosure
        if engine.name in TEXT_ENGINES:
            hits += _beside(engine, draft, context, rules)
        runs.append(EngineRun(engine.name, (perf_counter_ns() - began) // 1000, error))
    hits.sort(key=lambda hit: (hit.part, hit.start, hit.end, hit.rule))
    return Decision(verdict_of(hits), tuple(hits), disclosure, tuple(runs))


def _beside(engine: Engine, draft: Draft, context: Context, rules: RuleSet) -> Iterator[Hit]:
    """Words that stand elsewhere obey the same rules. They have no place in the text, so nothing is marked there."""
    for one in draft.beside:
        for hit in _ask(engine, Draft.of(one.text), context, rules)[0].hits:
            message = f"{one.place}: {hit.message}"
            yield replace(hit, part=one.part, start=0, end=0, message=message, replacement=None)


def _ask(engine: Engine, draft: Draft, context: Context, rules: RuleSet) -> tuple[Answer, str]:
    try:
        return engine.check(draft, context, rules), ""
    except Exception as fault:
        # A fault of ours must not let anything through.
        log.exception("guard_engine_failed", engine=engine.name)
        text = f"The {engine.name} check could not be made, so a person has to look."
        return Answer((Hit(FAILED, Severity.REVIEW, message=text),)), type(fault).__name__
