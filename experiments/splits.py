"""The weights of an experiment, written on the links that it splits."""

from typing import Any

from analytics.models import Link
from analytics.tracking.links import set_split
from experiments.models import Epoch, Experiment


def links_of(experiment: Experiment) -> list[Link]:
    """Locked, so that no two experiments take the same one. Inside a transaction."""
    ids = experiment.settings.get("links", [])
    rows = Link.objects.select_for_update(no_key=True).filter(workspace=experiment.workspace_id, pk__in=ids)
    return list(rows.order_by("pk"))


def write_split(experiment: Experiment, epoch: Epoch | None, *, share: float | None = None) -> None:
    """None takes the split away: everybody goes to the link's own target. At a share of 0 nobody new is assigned."""
    split = {} if epoch is None else _split(experiment, epoch, share)
    for link in links_of(experiment):
        set_split(link, split)


def _split(experiment: Experiment, epoch: Epoch, share: float | None) -> dict[str, Any]:
    return {
        "experiment": str(experiment.pk),
        "salt": epoch.salt,
        "epoch": epoch.number,
        "share": experiment.settings["share"] if share is None else share,
        # A closed arm stays for those who have it.
        "arms": [
            {"key": arm.key, "url": arm.content["url"], "weight": epoch.weights.get(arm.key, 0.0)}
            for arm in experiment.arms.order_by("position")
        ],
    }
