"""An experiment as one document: what was promised, what was seen, and what was said of it."""

from typing import Any

from experiments.models import Experiment

Data = dict[str, Any]


def as_document(experiment: Experiment) -> Data:
    """Looks with their data: `looks.read` of a look's data gives its result again."""
    return {
        "id": str(experiment.pk),
        "name": experiment.name,
        "version": experiment.version,
        "design": experiment.design,
        "status": experiment.status,
        "seed": experiment.seed,
        "registered": experiment.registered,
        "registered_hash": experiment.registered_hash,
        "started_at": experiment.started_at,
        "ends_at": experiment.ends_at,
        "stopped_at": experiment.stopped_at,
        "winner": experiment.winner,
        "arms": [
            {"key": arm.key, "name": arm.name, "is_control": arm.is_control, "content": arm.content}
            for arm in experiment.arms.all()
        ],
        "epochs": [
            {
                "number": epoch.number,
                "weights": epoch.weights,
                "salt": epoch.salt,
                "seed": epoch.seed,
                "data": epoch.data,
                "data_hash": epoch.data_hash,
                "reason": epoch.reason,
                "started_at": epoch.started_at,
            }
            for epoch in experiment.epochs.all()
        ],
        "looks": [
            {
                "number": look.number,
                "at": look.at,
                "verdict": look.verdict,
                "sentence": look.sentence,
                "refusals": look.refusals,
                "data": look.data,
                "data_hash": look.data_hash,
                "result": look.result,
            }
            for look in experiment.looks.order_by("number")
        ],
    }
