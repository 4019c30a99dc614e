"""One module for each design: `check_start`, `plan`, `collect` and `analyse`."""

from typing import Any, Protocol, cast

from accounts.access import Actor
from experiments.designs import crossover, link_split, observation, optimiser, paired_slots, programme, subscribers
from experiments.models import Experiment

Data = dict[str, Any]
Result = dict[str, Any]
Design = Experiment.Design


class DesignModule(Protocol):
    def check_start(self, experiment: Experiment) -> None:
        """Raises ValidationError or NotAllowedNow where it cannot be carried out."""

    def plan(self, experiment: Experiment, by: Actor) -> None:
        """The split, or the units with their posts."""

    def collect(self, experiment: Experiment) -> Data:
        """All that the result is computed from, as JSON."""

    def analyse(self, experiment: Experiment, data: Data) -> Result:
        """A function of its arguments alone: the same data give the same numbers."""


MODULES = {
    Design.LINK_SPLIT: link_split,
    Design.SUBSCRIBER_SPLIT: subscribers,
    Design.PAIRED_SLOTS: paired_slots,
    Design.CROSSOVER: crossover,
    Design.PROGRAMME: programme,
    Design.OPTIMISER: optimiser,
    Design.OBSERVATION: observation,
}


def of(experiment: Experiment) -> DesignModule:
    return cast(DesignModule, MODULES[Design(experiment.design)])
