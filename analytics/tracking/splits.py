"""Arms of visitors on a link that splits. `Link.split`: {"experiment": id, "salt", "epoch", "share", "arms": [{"key",
"url", "weight"}]} and, where an experiment wants them, "holdout", "layer", "layer_range"."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from lib.ids import uuid7
from lib.splitting import FULL, Split, assign


class Drawn(NamedTuple):
    """`experiment` is its id as 32 digits; `url` is empty where the arm has gone from the split meanwhile.

    `exposure` holds the values of EXPOSURE where the visitor is new.
    """

    experiment: str
    arm: str
    url: str
    exposure: list[Any] | None = None


# A row that stands wins: the update changes nothing, and gives its arm.
EXPOSURE = """
INSERT INTO analytics_exposure (
    id, workspace_id, link_id, experiment_id, unit, arm, propensity, epoch, salt, is_bot, at, value_micro)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)
ON CONFLICT (experiment_id, unit) DO UPDATE SET unit = EXCLUDED.unit RETURNING arm
"""


def split_of(data: dict[str, Any]) -> Split:
    """Raises ValueError, KeyError or TypeError where this is no split."""
    start, end = data.get("layer_range") or FULL
    return Split(
        salt=data["salt"],
        weights=tuple(float(arm["weight"]) for arm in data["arms"]),
        share=float(data.get("share", 1)),
        layer=data.get("layer", ""),
        layer_range=(start, end),
        holdout=float(data.get("holdout", 0)),
        epoch=int(data.get("epoch", 1)),
    )


def draw_arm(
    workspace_id: UUID, link_id: UUID, data: dict[str, Any], unit: str, *, stored: str, is_bot: bool, at: datetime
) -> Drawn | None:
    """The arm of this visitor: `stored`, where there is one, whatever the weights are now. None: it takes no part."""
    if not data.get("arms"):
        return None
    experiment = UUID(data["experiment"])
    if stored:
        return Drawn(experiment.hex, stored, url_of(data, stored))
    drawn = assign(split_of(data), unit)
    if drawn is None:
        return None
    arm = data["arms"][drawn.arm]["key"]
    log = [drawn.propensity, drawn.epoch, data["salt"], is_bot, at]
    row = [uuid7(), workspace_id, link_id, experiment, unit, arm, *log]
    return Drawn(experiment.hex, arm, url_of(data, arm), row)


def url_of(data: dict[str, Any], arm: str) -> str:
    return next((row["url"] for row in data["arms"] if row["key"] == arm), "")
