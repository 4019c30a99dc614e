"""When nothing is concluded, why, and what to do instead. Each rule is a function of the experiment, its data and its
result; it answers with a Refusal or with None."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from experiments.models import Experiment
from experiments.options import (
    FEWEST_PAIRS,
    FEWEST_POSTS,
    FIXED,
    POOLED,
    POST_DESIGNS,
    VISITOR_DESIGNS,
)
from experiments.registration import edited_since

Design = Experiment.Design
Data = dict[str, Any]
PAIRED = {Design.PAIRED_SLOTS, Design.CROSSOVER}
SURE = 0.95
CARRY_OVER_P = 0.01
ENOUGH_FOR_SLOTS = 60
# Ages may differ by so much; the same as what a measurement may be late.
AGE_TOLERANCE = 0.15


@dataclass(frozen=True)
class Refusal:
    code: str
    reason: str
    next: str


Rule = Callable[[Experiment, Data, Data], Refusal | None]


def check(experiment: Experiment, data: Data, result: Data) -> list[dict[str, str]]:
    """All that hold, in the order of the rules."""
    found = [rule(experiment, data, result) for rule in RULES]
    return [asdict(refusal) for refusal in found if refusal]


def too_few_units(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    """Only once it is over or asks for a verdict: a test that has just begun has few, and goes on."""
    if experiment.design in PAIRED and len(result.get("pairs", [])) < FEWEST_PAIRS and data.get("is_final"):
        number = len(result.get("pairs", []))
        return Refusal(
            "too_few_units",
            f"{number} complete pairs: even if all of them pointed one way, chance could not be ruled out below "
            f"{FEWEST_PAIRS}.",
            "Start a new version with more pairs.",
        )
    if experiment.design == Design.PROGRAMME and data.get("is_final"):
        counts = [sum(post["arm"] == arm for post in data["posts"]) for arm in data["arms"]]
        if min(counts) < FEWEST_POSTS:
            return Refusal(
                "too_few_units",
                f"One style has {min(counts)} measured posts; {FEWEST_POSTS} of each are the least that can tell.",
                "Let more posts enter the programme.",
            )
    return None


def broken_split(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    health = result.get("health")
    if not health or not (health["is_broken"] or health["broken_parts"]):
        return None
    where = "" if health["is_broken"] else f" ({', '.join(health['broken_parts'][:3])})"
    return Refusal(
        "broken_split",
        f"Visitors did not arrive in the shares that were set{where}, so the arms are not comparable.",
        "Look for what loses or adds visitors of one arm (a redirect, a cache, bots), and start a new version.",
    )


def ages_differ(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    if experiment.design not in POST_DESIGNS:
        return None
    wanted = data.get("age_h")
    off = [post for post in data["posts"] if post["age_h"] and not _is_at_age(post, wanted)]
    if off:
        return Refusal(
            "ages_differ",
            f"{len(off)} of the posts were measured at another age than the rest: what a post has gathered grows for "
            "days.",
            "Exclude these posts, or start a new version.",
        )
    if data.get("is_final") and data["waiting"]:
        return Refusal(
            "ages_differ",
            f"{len(data['waiting'])} posts are younger than {wanted} hours, so their numbers still grow.",
            "Look again when all of them are old enough.",
        )
    return None


def _is_at_age(post: Data, usual_h: float | None) -> bool:
    wanted_h = post.get("wanted_h") or usual_h or post["age_h"]
    return bool(abs(post["age_h"] - wanted_h) <= AGE_TOLERANCE * wanted_h)


def pooled_posts(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    if experiment.design not in POST_DESIGNS or experiment.settings.get("analysis") != POOLED:
        return None
    return Refusal(
        "pooled_posts",
        "Impressions of different posts are not so many independent people: adding them up finds a difference in four "
        "of five tests where there is none.",
        "Start a new version that counts posts.",
    )


def observation(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    if experiment.design != Design.OBSERVATION:
        return None
    return Refusal(
        "observation",
        "This is not an experiment: nothing was assigned by chance, so anything else that changed may be the reason.",
        "Test the change with paired slots (C) or a style programme (E).",
    )


def peeked(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    """A chance to be best of 95 % is reached in half of all tests of nothing, when it is looked at often enough."""
    if data.get("is_final"):
        return None
    if experiment.design in POST_DESIGNS:
        return _stopped_early(data, result)
    is_read_once = experiment.settings.get("analysis") == FIXED and experiment.design in VISITOR_DESIGNS
    leads = [arm for arm in result.get("arms", []) if arm.get("p_best", 0.0) >= SURE]
    if not (is_read_once and leads):
        return None
    return Refusal(
        "peeked",
        f"{leads[0]['p_best']:.0%} looks sure, but this test was registered to be read once, at its end. Read earlier, "
        "such numbers turn up in half of all tests without any difference.",
        "Wait for the end, or start a new version that may be looked at at any time.",
    )


def _stopped_early(data: Data, result: Data) -> Refusal | None:
    lifts = [arm["lift"] for arm in result.get("arms", []) if arm.get("lift")]
    if not data.get("is_stopped") or not any(lift["is_significant"] for lift in lifts):
        return None
    return Refusal(
        "peeked",
        "It was stopped before its last planned post, while its numbers looked sure. Whoever stops then finds "
        "something even where there is nothing.",
        "Start a new version, and let it reach its end.",
    )


def no_propensities(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    missing = result.get("without_propensity", 0)
    if not missing:
        return None
    return Refusal(
        "no_propensities",
        f"The chance that {missing:,} visitors had of their arm is not known, so no lift can be computed from them.",
        "Start a new version, and let only this product set the shares of the link.",
    )


def slot_unclear(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    if experiment.design != Design.OPTIMISER:
        return None
    number = len(data["posts"])
    if number < ENOUGH_FOR_SLOTS:
        return Refusal(
            "slot_unclear",
            f"{number} posts are measured; below {ENOUGH_FOR_SLOTS} a best time is mostly luck.",
            "Keep posting at the suggested times.",
        )
    if result.get("is_exploring"):
        return Refusal(
            "slot_unclear",
            "The lead of the best slot over the average of the week may still be nothing.",
            "Keep posting at the suggested times.",
        )
    return None


def carry_over(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    p = result.get("carry_over_p")
    if p is None or p >= CARRY_OVER_P or not data.get("is_final"):
        return None
    return Refusal(
        "carry_over",
        "The first post of a pair seems to change how the second one does, so they are not comparable.",
        "Start a new version with more days between the two posts of a pair.",
    )


def changed_after_start(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    edited = edited_since(experiment)
    if not edited:
        return None
    names = ", ".join(name.replace("_", " ") for name in edited)
    return Refusal(
        "changed_after_start",
        f"What decides was changed after the start ({names}), so the result is not the one that was promised.",
        "Start a new version with the change.",
    )


def unregistered_segment(experiment: Experiment, data: Data, result: Data) -> Refusal | None:
    segment = data.get("segment")
    if segment is None or segment in experiment.registered.get("settings", {}).get("segments", []):
        return None
    return Refusal(
        "unregistered_segment",
        f"“{segment}” was not named before the start. Among enough segments one always looks different, so this is "
        "exploratory.",
        "Use it as an idea, and test it in a new version that names the segment.",
    )


RULES: tuple[Rule, ...] = (
    too_few_units,
    broken_split,
    ages_differ,
    pooled_posts,
    observation,
    peeked,
    no_propensities,
    slot_unclear,
    carry_over,
    changed_after_start,
    unregistered_segment,
)
