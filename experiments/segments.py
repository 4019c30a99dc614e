"""Parts of the visitors by themselves: an idea for the next test, unless they were named before the start."""

from dataclasses import asdict, dataclass
from typing import Any

from experiments import exposures
from experiments.effects import effect, prior_of
from experiments.models import Experiment, Look
from experiments.refusals import unregistered_segment
from experiments.visitors import estimate, paired_rows, together

# Name to the place of its value in a cell.
DIMENSIONS = {"day": 3, "link": 4, "device": 0}
Row = dict[str, Any]


@dataclass(frozen=True)
class Segments:
    """rows: {"name", "arm", "control": [units, hits], "variant": [units, hits], "e", "is_significant", …effect}"""

    dimension: str
    rows: list[Row]
    refusals: list[dict[str, str]]
    is_exploratory: bool


def read_segments(look: Look, dimension: str) -> Segments:
    """From what the look keeps. All segments together are held to the level of one test, by e-BH.

    Raises ValueError for a dimension that is none of DIMENSIONS, or a design that does not count visitors.
    """
    experiment, data = look.experiment, look.data
    if dimension not in DIMENSIONS or "cells" not in data:
        raise ValueError(f"Visitors can be parted by: {', '.join(DIMENSIONS)}.")
    refusal = unregistered_segment(experiment, data | {"segment": dimension}, look.result)
    rows = [row for name in _names(data, dimension) for row in _rows(experiment, data, dimension, name)]
    _mark(rows, experiment.settings["alpha"])
    return Segments(dimension, rows, [asdict(refusal)] if refusal else [], refusal is not None)


def _names(data: dict[str, Any], dimension: str) -> list[str]:
    cells = data["devices"] if dimension == "device" else [cell for cell in data["cells"] if not cell[2]]
    return sorted({str(cell[DIMENSIONS[dimension]]) for cell in cells})


def _counts(data: dict[str, Any], dimension: str, name: str) -> dict[int, dict[str, list[int]]]:
    if dimension == "device":
        return exposures.by_epoch((row[1], row[2], row[3], row[4]) for row in data["devices"] if row[0] == name)
    place = DIMENSIONS[dimension]
    cells = (cell for cell in data["cells"] if not cell[2] and cell[place] == name)
    return exposures.by_epoch((cell[0], cell[1], cell[5], cell[6]) for cell in cells)


def _rows(experiment: Experiment, data: dict[str, Any], dimension: str, name: str) -> list[Row]:
    from experiments.stats import sequential

    weights = {epoch["number"]: epoch["weights"] for epoch in data["epochs"]}
    counted = _counts(data, dimension, name)
    control, alpha = data["control"], experiment.settings["alpha"]
    found = []
    for key in data["arms"]:
        epochs = together(counted, weights, control, key)
        totals = exposures.totals(epochs, (control, key))
        rows = paired_rows(epochs, weights, control, key)
        if key == control or not rows or not (totals[control][0] and totals[key][0]):
            continue
        e = sequential.ratio_evidence(rows, alpha=alpha).e
        counts = {"name": name, "arm": key, "control": list(totals[control]), "variant": list(totals[key]), "e": e}
        log_ratio, error = estimate(rows, totals[control], totals[key])
        is_lower = experiment.lower_is_better
        found.append(counts | effect(log_ratio, error, prior_of(data), lower_is_better=is_lower, alpha=alpha))
    return found


def _mark(rows: list[Row], alpha: float) -> None:
    from experiments.stats import multiple

    kept = set(multiple.e_benjamini_hochberg([row["e"] for row in rows], alpha)) if rows else set()
    for place, row in enumerate(rows):
        row["is_significant"] = place in kept
