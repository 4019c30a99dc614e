"""Arms of visitors on a link that splits. `Link.split`: {"experiment": id, "salt", "epoch", "share", "arms": [{"key",
"url", "weight"}]} and, where an experiment wants them, "holdout", "layer", "layer_range"."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from lib.ids import uuid7
from lib.splitting import FULL, Split, assign


class Drawn(NamedTuple):
    """`experiment` is its id as 32 digits; `url` is empty where the arm has gone from the split meanwhile."""

    experiment: str
    arm: str
    url: str


EXPOSED = "SELECT arm FROM analytics_exposure WHERE experiment_id = %s AND unit = %s"
EXPOSE = """
INSERT INTO analytics_exposure (
    id, workspace_id, link_id, experiment_id, unit, arm, propensity, epoch, salt, is_bot, at, value_micro)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0) ON CONFLICT (experiment_id, unit) DO NOTHING
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
    workspace_id: UUID, link_id: UUID, data: dict[str, Any], unit: str, *, is_bot: bool, at: datetime
) -> Drawn | None:
    """The arm of this visitor, for good: what is stored wins whatever the weights are now. None where it takes no part.

    Inside the workspace's scope; the exposure is committed with the caller's transaction.
    """
    if not data.get("arms"):
        return None
    experiment = UUID(data["experiment"])
    arm = _stored(experiment, unit) or _expose(workspace_id, link_id, experiment, data, unit, is_bot, at)
    url = next((row["url"] for row in data["arms"] if row["key"] == arm), "")
    return Drawn(experiment.hex, arm, url) if arm else None


def _stored(experiment: UUID, unit: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(EXPOSED, [experiment, unit])
        row = cursor.fetchone()
    return row[0] if row else ""


def _expose(
    workspace_id: UUID, link_id: UUID, experiment: UUID, data: dict[str, Any], unit: str, is_bot: bool, at: datetime
) -> str:
    drawn = assign(split_of(data), unit)
    if drawn is None:
        return ""
    arm = data["arms"][drawn.arm]["key"]
    row = [
        uuid7(),
        workspace_id,
        link_id,
        experiment,
        unit,
        arm,
        drawn.propensity,
        drawn.epoch,
        data["salt"],
        is_bot,
        at,
    ]
    with connection.cursor() as cursor:
        cursor.execute(EXPOSE, row)
        # Somebody with the same id came at the same moment: the first one counts.
        return arm if cursor.rowcount else _stored(experiment, unit)
