"""What each design randomises, and what may be claimed from it."""

from dataclasses import dataclass

from experiments.models import Experiment

Design = Experiment.Design


@dataclass(frozen=True)
class Badge:
    letter: str
    name: str
    # One and many of what is randomised.
    unit: str
    units: str
    claim: str
    caution: str


BADGES = {
    Design.LINK_SPLIT: Badge(
        "A",
        "Visitors of one link",
        "visitor",
        "visitors",
        "Where the link leads causes the difference in conversions.",
        "Says nothing about the post that carries the link.",
    ),
    Design.SUBSCRIBER_SPLIT: Badge(
        "B",
        "Subscribers of a bot",
        "subscriber",
        "subscribers",
        "The text of the message causes the difference in clicks.",
        "Holds for people who opted in.",
    ),
    Design.PAIRED_SLOTS: Badge(
        "C",
        "Paired time slots",
        "pair",
        "pairs",
        "The wording causes the difference in the rate.",
        "Both wordings reach the same followers, so pairs are kept apart in time.",
    ),
    Design.CROSSOVER: Badge(
        "D",
        "Crossover of channels",
        "channel period",
        "channel periods",
        "The wording causes the difference, on these channels.",
        "Channels are compared with themselves only.",
    ),
    Design.PROGRAMME: Badge(
        "E",
        "Style programme",
        "post",
        "posts",
        "The style causes the average difference over many posts.",
        "Says nothing about a single post.",
    ),
    Design.OPTIMISER: Badge(
        "F",
        "Optimiser",
        "post",
        "posts",
        "The best slot so far.",
        "No cause is claimed for a single slot.",
    ),
    Design.OBSERVATION: Badge(
        "G",
        "Not an experiment",
        "post",
        "posts",
        "Something changed between two times.",
        "Anything else that changed meanwhile may be the reason.",
    ),
}


def badge_of(experiment: Experiment) -> Badge:
    return BADGES[Design(experiment.design)]
