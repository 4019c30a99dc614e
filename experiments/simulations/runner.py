"""Runs the acceptance criteria A1 to A14 over two processes, and prints what was found."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from experiments.simulations import (
    accuracy,
    archive,
    assignment,
    bandits,
    posts,
    refusals,
    repeat,
    search,
    sequences,
    speed,
)
from experiments.simulations.measures import Measure

Check = Callable[[], list[Measure]]
# The criterion it belongs to.
Job = tuple[str, Check]
PROCESSES = 2
# Each process has one core, so libraries must not start threads for the other.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Finding:
    criterion: str
    seconds: float
    measures: list[Measure]


def made_winners() -> list[Measure]:
    return archive.winners_curse(archive.make_archive()[0])


def made_splits() -> list[Measure]:
    tests, broken = archive.make_archive()
    return archive.broken_splits(tests, broken, 0.002)


def real_winners(path: str) -> list[Measure]:
    return _of_file(path, archive.winners_curse(archive.read_archive(Path(path))))


def real_splits(path: str) -> list[Measure]:
    """The bound is that of the Upworthy archive's exploratory part."""
    return _of_file(path, archive.broken_splits(archive.read_archive(Path(path)), 0.1545, 0.002))


def _of_file(path: str, measures: list[Measure]) -> list[Measure]:
    return [measure._replace(name=f"{measure.name} ({Path(path).name})") for measure in measures]


# The longest first, so that no process waits for the other at the end.
PARALLEL: list[Job] = [
    ("A2", accuracy.agreement),
    ("A7", bandits.delayed),
    *(("A7", partial(bandits.published_regret, delay)) for delay in bandits.PUBLISHED_REGRET),
    ("A12", search.send_times),
    ("A4", sequences.false_positives),
    ("A4", sequences.bandit_false_positives),
    ("A12", search.known_functions),
    ("A6", posts.paired_power),
    ("A5", sequences.powers),
    ("A1", assignment.splits),
    ("A9", made_winners),
    ("A10", made_splits),
    ("A2", accuracy.edges),
    ("A3", accuracy.display_unit),
    ("A6", posts.unpaired_false_positives),
    ("A1", assignment.ramp),
    ("A8", bandits.few_conversions),
    ("A9", archive.batting_averages),
    ("A10", archive.split_behaviours),
]
# Speeds are taken while nothing else of this runs; the others start processes of their own.
ALONE: list[Job] = [("A13", speed.speeds), ("A14", repeat.same_numbers), ("A11", refusals.tested)]


def run(
    archive_path: str | None = None, parallel: Sequence[Job] = PARALLEL, alone: Sequence[Job] = ALONE
) -> list[Finding]:
    """All findings by criterion. archive_path: a CSV file with the columns of the Upworthy archive."""
    checks = [*parallel, *(_real_checks(archive_path) if archive_path else [])]
    with _one_thread_each(), ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_timed, criterion, check) for criterion, check in checks]
        found = [future.result() for future in waiting]
        # In a child, whose libraries have read the limits above.
        found += [pool.submit(_timed, criterion, check).result() for criterion, check in alone]
    return sorted(found, key=lambda finding: int(finding.criterion[1:]))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """For processes started meanwhile, which read it once, when they load their libraries."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _real_checks(path: str) -> list[Job]:
    return [("A9", partial(real_winners, path)), ("A10", partial(real_splits, path))]


def _timed(criterion: str, check: Check) -> Finding:
    start = perf_counter()
    measures = check()
    return Finding(criterion, perf_counter() - start, measures)


def lines(findings: Iterable[Finding]) -> Iterable[str]:
    """The table: criterion, what, measured, bound, whether it holds."""
    for finding in findings:
        for measure in finding.measures:
            number = f"{measure.measured:,.4g}" if measure.measured < 1e4 else f"{measure.measured:,.0f}"
            verdict = "ok" if measure.passed else "NOT MET"
            yield f"{finding.criterion:<4} {measure.name:<66} {number:>12}   {measure.bound:<18} {verdict}"


def summary(findings: Iterable[Finding]) -> str:
    """One line of JSON: {"A1": [{"name", "measured", "bound", "passed"}, …], …, "passed": …}."""
    by_criterion: dict[str, list[dict[str, object]]] = {}
    for finding in findings:
        by_criterion.setdefault(finding.criterion, []).extend(measure._asdict() for measure in finding.measures)
    return json.dumps({**by_criterion, "passed": all_passed(findings)})


def all_passed(findings: Iterable[Finding]) -> bool:
    return all(measure.passed for finding in findings for measure in finding.measures)
