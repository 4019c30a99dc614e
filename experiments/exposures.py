"""What a split of visitors has seen so far, counted from exposures and conversions."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

from experiments.models import Experiment
from lib.clock import now

Rows = list[tuple[Any, ...]]

# A goal narrows what counts as a conversion; without one the first of any kind does. By the last of each visitor, in
# one pass: conversions have no index of visitors.
REACHED = """
reached AS MATERIALIZED (
    SELECT visitor, max(at) AS at FROM analytics_conversion
    WHERE workspace_id = %(workspace)s AND goal = %(goal)s AND %(goal)s <> '' AND value_micro >= 0 AND visitor <> ''
    GROUP BY visitor)"""
CONVERTED = "(CASE WHEN %(goal)s = '' THEN x.converted_at IS NOT NULL ELSE coalesce(g.at >= x.at, FALSE) END)"
EXPOSED = "analytics_exposure x LEFT JOIN reached g ON g.visitor = x.unit"
CELLS = f"""
WITH {REACHED}
SELECT x.epoch, x.arm, x.is_bot, (x.at AT TIME ZONE %(zone)s)::date::text, coalesce(x.link_id::text, ''),
    count(*), count(*) FILTER (WHERE {CONVERTED})
FROM {EXPOSED} WHERE x.workspace_id = %(workspace)s AND x.experiment_id = %(experiment)s
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 (no value is in the text)
DEVICES = f"""
WITH seen AS (
    SELECT DISTINCT ON (visitor) visitor, device FROM analytics_event
    WHERE workspace_id = %(workspace)s AND link_id = ANY(%(links)s::uuid[]) AND kind = 'click' AND at >= %(start)s
    ORDER BY visitor, at), {REACHED}
SELECT coalesce(nullif(seen.device, ''), 'unknown'), x.epoch, x.arm, count(*), count(*) FILTER (WHERE {CONVERTED})
FROM {EXPOSED} LEFT JOIN seen ON seen.visitor = x.unit
WHERE x.workspace_id = %(workspace)s AND x.experiment_id = %(experiment)s AND NOT x.is_bot
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608
GUARDED = """
SELECT c.goal, x.epoch, x.arm, count(DISTINCT x.unit) FROM analytics_exposure x
JOIN analytics_conversion c ON c.workspace_id = x.workspace_id AND c.visitor = x.unit AND c.at >= x.at
WHERE x.workspace_id = %(workspace)s AND x.experiment_id = %(experiment)s AND NOT x.is_bot
    AND c.goal = ANY(%(goals)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# Cohorts of an hour, after two days of a day, so that conversions still to come can be told from those that will not.
COARSE_H = 48
AGE = f"""(CASE WHEN %(now)s - x.at < interval '{COARSE_H} hours' THEN floor(extract(epoch FROM %(now)s - x.at) / 3600)
    ELSE 24 * floor(extract(epoch FROM %(now)s - x.at) / 86400) END)::int"""
AGES = f"""
WITH {REACHED}
SELECT x.arm, {AGE}, count(*),
    count(*) FILTER (WHERE {CONVERTED})
FROM {EXPOSED}
WHERE x.workspace_id = %(workspace)s AND x.experiment_id = %(experiment)s AND NOT x.is_bot AND x.at <= %(now)s
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608
# As minutes of the ages that the curve is drawn through; later ones are beyond it.
STEPS = (15, 60, 180, 360, 1440, 2880, 4320, 10_080)
DELAY = "".join(f" WHEN x.converted_at <= x.at + interval '{step} minutes' THEN {step}" for step in STEPS)
DELAYS = f"""
SELECT {AGE}, CASE{DELAY} ELSE {2 * STEPS[-1]} END, count(*)
FROM analytics_exposure x
WHERE x.workspace_id = %(workspace)s AND x.experiment_id = %(experiment)s AND NOT x.is_bot
    AND x.converted_at IS NOT NULL AND x.at <= %(now)s
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608


def collect(experiment: Experiment) -> dict[str, Any]:
    """Counts by epoch, arm, day, link and device; people and bots apart."""
    arms = list(experiment.arms.order_by("position"))
    return {
        "unit": "visitor",
        "at": now().isoformat(),
        "arms": [arm.key for arm in arms],
        "control": next(arm.key for arm in arms if arm.is_control),
        "closed": [arm.key for arm in arms if arm.closed_at],
        "epochs": list(experiment.epochs.values("number", "weights")),
        # [epoch, arm, is_bot, day, link, units, conversions]
        "cells": [list(row) for row in _rows(CELLS, experiment)],
        # [device, epoch, arm, units, conversions]
        "devices": [list(row) for row in _rows(DEVICES, experiment)],
        # [goal, epoch, arm, units]
        "guarded": [list(row) for row in _rows(GUARDED, experiment)],
    }


def ages(experiment: Experiment) -> Rows:
    """(arm, age in whole hours (days' beginnings after two of them), units, conversions)."""
    return _rows(AGES, experiment)


def delays(experiment: Experiment) -> Rows:
    """(age of the exposure as in `ages`, minutes within which it converted, how many)."""
    return _rows(DELAYS, experiment)


def people(data: dict[str, Any]) -> dict[int, dict[str, list[int]]]:
    """{epoch: {arm: [units, conversions]}} without bots."""
    return by_epoch((epoch, arm, units, hits) for epoch, arm, is_bot, _, _, units, hits in data["cells"] if not is_bot)


def by_epoch(rows: Iterable[tuple[int, str, int, int]]) -> dict[int, dict[str, list[int]]]:
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for epoch, arm, units, hits in rows:
        found[epoch][arm][0] += units
        found[epoch][arm][1] += hits
    return {epoch: dict(arms) for epoch, arms in found.items()}


def totals(epochs: dict[int, dict[str, list[int]]], arms: Iterable[str]) -> dict[str, tuple[int, int]]:
    """{arm: (units, conversions)} over all epochs."""
    return {
        arm: (
            sum(counts.get(arm, [0, 0])[0] for counts in epochs.values()),
            sum(counts.get(arm, [0, 0])[1] for counts in epochs.values()),
        )
        for arm in arms
    }


def _rows(sql: str, experiment: Experiment) -> Rows:
    values = {
        "workspace": experiment.workspace_id,
        "experiment": experiment.pk,
        "goal": experiment.settings.get("goal", ""),
        "goals": [rail["metric"] for rail in experiment.guardrails],
        "links": [str(pk) for pk in experiment.settings.get("links", [])],
        "start": experiment.started_at,
        "zone": experiment.workspace.time_zone,
        "now": now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
