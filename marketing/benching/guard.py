"""All engines over a post of 500 characters, in one process, against one pass of the compiled words alone."""

import statistics
import time
from collections.abc import Callable

from compliance.guard import Context, Draft, check
from compliance.guard.engines.phrases import automaton_pass
from compliance.guard.rules import shipped_rules
from compliance.guard.text import fold
from lib.clock import now

ROUNDS = 200
CHARACTERS = 500
TEXTS = {
    "zh": "新到的豆子今早烘好，口感清甜，带一点坚果香。欢迎周五到店试饮，带朋友来聊聊天，也可以网上下单，送到家门口。",
    "en": "Our new roast is here: sweet, a little nutty, packed this morning and on your doorstep by Friday. Come by! ",
}


def guard_ratio() -> dict[str, float]:
    """Milliseconds at the median and the 95th percentile, and how many bare passes one check takes."""
    found: dict[str, float] = {}
    for language, text in TEXTS.items():
        found |= _measure(language, (text * CHARACTERS)[:CHARACTERS])
    return found


def _measure(language: str, text: str) -> dict[str, float]:
    rules, draft, bare = shipped_rules(), Draft.of(text), fold(text).bare
    context = Context(
        platform="x",
        jurisdictions=("CN", "US", "UK", "EU"),
        industry="food",
        relationship="own_brand",
        language=language,
        today=now().date(),
    )
    # The first check compiles the rules.
    decision = check(draft, context, rules)
    assert not [run for run in decision.runs if run.error], decision.runs
    whole = _times_ms(lambda: check(draft, context, rules))
    alone = _times_ms(lambda: automaton_pass(bare, rules))
    middle = statistics.median(whole)
    return {
        f"guard_500_{language}_p50_ms": middle,
        f"guard_500_{language}_p95_ms": whole[int(len(whole) * 0.95)],
        f"guard_500_{language}_bare_pass_ms": statistics.median(alone),
        f"guard_500_{language}_to_bare_pass": middle / statistics.median(alone),
    }


def _times_ms(work: Callable[[], object]) -> list[float]:
    """Of the processor: neighbours on the machine do not count."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return sorted(times)
