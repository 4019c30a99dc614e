"""The verdict and its sentence, in plain words. What is refused has no verdict."""

import math
from typing import Any

from experiments.badges import badge_of
from experiments.models import Experiment, Look
from experiments.options import FIXED, POST_DESIGNS, VISITOR_DESIGNS

Verdict = Look.Verdict
Data = dict[str, Any]
VERBS = {"conversions": "converts", "clicks": "is clicked"}


def decide(experiment: Experiment, data: Data, result: Data, refusals: list[dict[str, str]]) -> tuple[str, str]:
    """(verdict, sentence)"""
    if refusals:
        return Verdict.CANNOT_TELL, f"Cannot tell: {_lowered(refusals[0]['reason'])}"[:500]
    if experiment.design not in VISITOR_DESIGNS | POST_DESIGNS:
        return Verdict.KEEP_GOING, _explored(result)
    verdict, about = _verdict(experiment, data, result)
    return verdict, _sentence(experiment, data, result, verdict, about)[:500]


def _verdict(experiment: Experiment, data: Data, result: Data) -> tuple[str, dict[str, Any] | None]:
    """What is said, and of which arm."""
    variants = [arm for arm in result["arms"] if arm["lift"] and arm["key"] not in data.get("closed", [])]
    is_readable = data["is_final"] or not is_read_once(experiment)
    proven = [arm for arm in variants if arm["lift"]["is_significant"] and is_readable]
    better = [arm for arm in proven if is_better(experiment, arm["lift"])]
    if better:
        return Verdict.BETTER, max(better, key=lambda arm: abs(arm["lift"]["shrunk_log"]))
    if variants and len(proven) == len(variants):
        return Verdict.HARMFUL, min(variants, key=lambda arm: abs(arm["lift"]["shrunk_log"]))
    if proven and data["is_final"]:
        return Verdict.HARMFUL, max(proven, key=lambda arm: abs(arm["lift"]["shrunk_log"]))
    if variants and is_readable and all(_is_nothing(arm["lift"], experiment.settings["mde"]) for arm in variants):
        return Verdict.NO_DIFFERENCE, None
    if data["is_final"]:
        is_told = bool(variants) and _has_planned(experiment, result)
        return (Verdict.NO_DIFFERENCE if is_told else Verdict.CANNOT_TELL), None
    return (Verdict.CANNOT_TELL if data["is_stopped"] else Verdict.KEEP_GOING), None


def is_read_once(experiment: Experiment) -> bool:
    """Only an e-process may be read at any time."""
    return experiment.design in POST_DESIGNS or experiment.settings["analysis"] == FIXED


def is_better(experiment: Experiment, lift: dict[str, Any]) -> bool:
    return (lift["log_ratio"] < 0) == experiment.lower_is_better


def _is_nothing(lift: dict[str, Any], mde: float) -> bool:
    """The whole interval, not shrunk, is nearer to nothing than what is worth finding."""
    low, high = lift["raw_interval"]
    return low is not None and high is not None and -mde < low and high < mde


def _has_planned(experiment: Experiment, result: Data) -> bool:
    return result["smallest_arm"] >= (experiment.planned_units or 0)


def _sentence(experiment: Experiment, data: Data, result: Data, verdict: str, arm: dict[str, Any] | None) -> str:
    names = {row.key: row.name for row in experiment.arms.all()}
    control = names[data["control"]]
    if arm and verdict == Verdict.BETTER:
        lift = arm["lift"]
        return (
            f"“{names[arm['key']]}” {_verb(experiment)} better than “{control}”: {lift['shrunk']:+.0%} "
            f"({lift['interval'][0]:+.0%} to {lift['interval'][1]:+.0%}), and with a chance of "
            f"{_share(lift['chance_better'])} it is really better."
        )
    if arm:
        lift = arm["lift"]
        others = "Every variant does" if _is_all_worse(data, result) else f"“{names[arm['key']]}” does"
        return (
            f"{others} worse than “{control}”: {lift['shrunk']:+.0%} ({lift['interval'][0]:+.0%} to "
            f"{lift['interval'][1]:+.0%}). Keep “{control}”."
        )
    if verdict == Verdict.NO_DIFFERENCE:
        return _no_difference(experiment, result)
    if verdict == Verdict.CANNOT_TELL:
        return (
            f"Cannot tell: it ended with {_progress(experiment, result)}, which is too few to find a lift of "
            f"{experiment.settings['mde']:.0%}."
        )
    return _keep_going(experiment, result)


def _is_all_worse(data: Data, result: Data) -> bool:
    lifts = [arm["lift"] for arm in result["arms"] if arm["lift"] and arm["key"] not in data.get("closed", [])]
    return len(lifts) > 1 and all(lift["is_significant"] for lift in lifts)


def _no_difference(experiment: Experiment, result: Data) -> str:
    lifts = [arm["lift"] for arm in result["arms"] if arm["lift"]]
    low, high = min(lift["interval"][0] for lift in lifts), max(lift["interval"][1] for lift in lifts)
    found = max(experiment.settings["mde"], *(_detectable(experiment, lift) for lift in lifts))
    return (
        f"No meaningful difference: with {_progress(experiment, result)} a lift of {found:.0%} would most likely have "
        f"shown. What is left lies between {low:+.0%} and {high:+.0%}."
    )


def _detectable(experiment: Experiment, lift: dict[str, Any]) -> float:
    """The lift that a test as noisy as this one turned out to be finds with the registered power."""
    from scipy.special import ndtri

    settings = experiment.settings
    return math.expm1(min(float(ndtri(settings["power"]) - ndtri(settings["alpha"] / 2)) * lift["error"], 50.0))


def _keep_going(experiment: Experiment, result: Data) -> str:
    days = result.get("days_left")
    wait = "" if days is None else f" About {days} day{'' if days == 1 else 's'} left."
    if result.get("is_settled"):
        leader = experiment.arms.get(key=result["leader"]).name
        wait = f" “{leader}” earns the most, and more waiting hardly pays: you can make it the winner, proven or not."
    return f"Keep going: {_progress(experiment, result)} so far.{wait}"


def _progress(experiment: Experiment, result: Data) -> str:
    unit = badge_of(experiment).units
    seen, planned = result["smallest_arm"], experiment.planned_units
    each = " in the smallest arm" if experiment.design in VISITOR_DESIGNS else ""
    return f"{seen:,} of {planned:,} {unit}{each}" if planned else f"{seen:,} {unit}{each}"


def _verb(experiment: Experiment) -> str:
    return VERBS.get(experiment.metric, "does")


def _share(chance: float) -> str:
    return "more than 99 %" if chance > 0.995 else f"{chance:.0%}"


def _lowered(text: str) -> str:
    # Names of arms and numbers stay as they are.
    return text[0].lower() + text[1:] if text[:2].istitle() or text[:2] in {"A ", "I "} else text


def _explored(result: Data) -> str:
    return str(result.get("sentence") or "Keep going.")
