"""Scores that need no model: each looks at an ended run and answers a value from 0 to 1, or nothing."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from accounts.access import Actor
from agents.evaluation.replay import text_of
from agents.memory.brand import Brand
from agents.models import Run, Step
from compliance.guard_check import MAX_TEXT, Question, check_text
from lib.text import storable

VERSION = 1
NGRAM = 8
HAN = re.compile(r"[\u4e00-\u9fff]")
# Numbers with two digits or more, percentages, amounts of money: what a reader takes for a fact.
FIGURE = re.compile(r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?%|\d{2,}[\d.,]*")
VALUES = {"allow": 1.0, "review": 0.5, "block": 0.0}


@dataclass(frozen=True)
class Case:
    """What evaluators see of a run."""

    run: Run
    steps: tuple[Step, ...]
    brand: Brand
    by: Actor
    text: str = field(default="")

    @property
    def asks(self) -> list[Step]:
        return [step for step in self.steps if step.kind == Step.Kind.LLM and not step.error]

    @property
    def material(self) -> str:
        """Everything that went into the run and its models, but for the instructions."""
        parts = [_flat(self.run.input), self.brand.as_text()]
        parts += [_flat((step.input or {}).get("messages")) for step in self.asks]
        return "\n".join(parts)


@dataclass(frozen=True)
class Found:
    value: float
    comment: str = ""


Evaluator = Callable[[Case], Found | None]
EVALUATORS: dict[str, Evaluator] = {}


def evaluator(run: Evaluator) -> Evaluator:
    EVALUATORS[run.__name__] = run
    return run


@evaluator
def schema_kept(case: Case) -> Found | None:
    """Whether answers that had to fit a schema did."""
    wanted = [step for step in case.asks if (step.input or {}).get("schema")]
    if not wanted:
        return None
    kept = sum((step.output or {}).get("data") is not None for step in wanted)
    return Found(kept / len(wanted), f"{kept} of {len(wanted)} answers fit their schema.")


@evaluator
def rules_kept(case: Case) -> Found | None:
    """What the workspace's rules say about the text, disclosure and personal data included."""
    if not case.text:
        return None
    decision = check_text(Question(case.text[:MAX_TEXT], ai_generated=True), by=case.by)
    return Found(VALUES[decision.verdict.value], ", ".join(sorted({hit.rule for hit in decision.hits}))[:300])


@evaluator
def instructions_kept_secret(case: Case) -> Found | None:
    """Whether a run of words from the instructions turns up in the text."""
    if not case.text:
        return None
    said = set(_ngrams(case.text))
    for step in case.asks:
        system = str((step.input or {}).get("system", ""))
        # Words of the brand stand in the instructions to be used.
        own = set(_ngrams(system)) - set(_ngrams(case.brand.as_text()))
        if said & own:
            return Found(0.0, "It repeats its instructions.")
    return Found(1.0)


@evaluator
def figures_have_sources(case: Case) -> Found | None:
    """Every figure in the text stands in what went in."""
    figures = {found.strip(" .,") for found in FIGURE.findall(case.text)}
    if not figures:
        return None
    material = re.sub(r"\s", "", case.material)
    unknown = sorted(figure for figure in figures if re.sub(r"\s", "", figure) not in material)
    return Found(1 - len(unknown) / len(figures), f"Without a source: {', '.join(unknown)}"[:300] if unknown else "")


@evaluator
def language_kept(case: Case) -> Found | None:
    """Chinese where it was asked in Chinese, and not where it was not."""
    asked = _flat(case.run.input)
    if not case.text or not asked or (isinstance(case.run.input, dict) and "languages" in case.run.input):
        return None
    return Found(float(_is_han(asked) == _is_han(case.text)))


@evaluator
def words_avoided(case: Case) -> Found | None:
    """Words that the brand avoids."""
    avoided = case.brand.avoided_words
    if not case.text or not avoided:
        return None
    used = [word for word in avoided if word.casefold() in case.text.casefold()]
    return Found(0.0 if used else 1.0, f"Uses: {', '.join(used)}"[:300] if used else "")


def judge(case: Case) -> dict[str, Found]:
    found = {name: run(case) for name, run in EVALUATORS.items()}
    return {name: one for name, one in found.items() if one is not None}


def case_of(run: Run, brand: Brand, by: Actor) -> Case:
    return Case(run, tuple(run.steps.all()), brand, by, storable(text_of(run.output)))


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(_flat(one) for one in value.values())
    if isinstance(value, list):
        return "\n".join(map(_flat, value))
    return "" if value is None else str(value)


def _ngrams(text: str) -> Iterable[tuple[str, ...]]:
    """Runs of words; of characters where a script has no spaces between words."""
    words = re.findall(r"[\u4e00-\u9fff]|\w+", text.casefold())
    return (tuple(words[at : at + NGRAM]) for at in range(len(words) - NGRAM + 1))


def _is_han(text: str) -> bool:
    return len(HAN.findall(text)) * 4 > len(re.findall(r"\w", text))
