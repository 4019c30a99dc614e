"""What decides an experiment, written down at its start: a result counts only for what was promised."""

from typing import Any

from experiments.canonical import digest
from experiments.models import Arm, Experiment

# Changing one of these after the start makes a new version.
DECISIVE = (
    "design",
    "hypothesis",
    "metric",
    "lower_is_better",
    "guardrails",
    "allocation",
    "settings",
    "horizon_days",
    "planned_units",
)


def facts_of(experiment: Experiment) -> dict[str, Any]:
    arms = [_arm_facts(arm) for arm in experiment.arms.order_by("position")]
    return {name: getattr(experiment, name) for name in DECISIVE} | {"arms": arms}


def _arm_facts(arm: Arm) -> dict[str, Any]:
    return {"key": arm.key, "is_control": arm.is_control, "content": arm.content}


def register(experiment: Experiment) -> None:
    """Set, not saved."""
    experiment.registered = facts_of(experiment)
    experiment.registered_hash = digest(experiment.registered)


def edited_since(experiment: Experiment) -> list[str]:
    """What is no longer as it was registered. Arms that came later are no edit: nobody was counted for them before."""
    registered = experiment.registered
    if digest(registered) != experiment.registered_hash:
        return ["registered"]
    facts = facts_of(experiment)
    changed = [name for name in DECISIVE if facts[name] != registered.get(name)]
    now = {arm["key"]: arm for arm in facts["arms"]}
    same = all(now.get(arm["key"]) == arm for arm in registered.get("arms", []))
    return changed if same else [*changed, "arms"]
