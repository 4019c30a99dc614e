"""A look at the results: collect, analyse, refuse or conclude, and keep all of it."""

import math
from datetime import timedelta
from typing import Any

from django.db.models import Max

from accounts import audit
from accounts.access import Perm, system_actor
from accounts.services import notify
from experiments import allocation, designs, refusals, verdicts
from experiments.canonical import digest, storable
from experiments.effects import past_looks, rate_prior, workspace_prior
from experiments.models import Experiment, Look
from experiments.options import POST_DESIGNS, VISITOR_DESIGNS
from experiments.post_making import cancel_planned
from lib.clock import now

Status, Verdict = Experiment.Status, Look.Verdict
Data = dict[str, Any]
FIRST_DAY, EVERY_HOUR, LATER = timedelta(days=1), timedelta(hours=1), timedelta(hours=6)
TOLD = {Verdict.BETTER, Verdict.HARMFUL, Verdict.NO_DIFFERENCE}
# Gains are told for so many days of the present traffic.
GAIN_DAYS = 30


def look_at(experiment: Experiment, *, is_stopped: bool = False) -> Look:
    """Inside the workspace's scope, with the experiment's row locked. May pause it, or stop it at its end."""
    data = storable(_gathered(experiment, is_stopped))
    result, refused, verdict, sentence = read(experiment, data)
    last = experiment.looks.aggregate(number=Max("number"))["number"] or 0
    before = experiment.looks.filter(number=last).values_list("verdict", flat=True).first()
    look = Look.objects.create(
        workspace=experiment.workspace,
        experiment=experiment,
        number=last + 1,
        verdict=verdict,
        sentence=sentence,
        refusals=refused,
        data=data,
        data_hash=digest(data),
        result=result,
    )
    if experiment.status == Status.RUNNING:
        _act(experiment, look, before)
    return look


def read(experiment: Experiment, data: Data) -> tuple[Data, list[dict[str, str]], str, str]:
    """(result, refusals, verdict, sentence): a function of the data and of what was registered."""
    result = designs.of(experiment).analyse(experiment, data)
    result |= _outlook(experiment, data, result)
    result = storable(result)
    refused = refusals.check(experiment, data, result)
    verdict, sentence = verdicts.decide(experiment, data, result, refused)
    return result, refused, verdict, sentence


def read_again(look: Look) -> tuple[Data, list[dict[str, str]], str, str]:
    """The same from what the look keeps."""
    return read(look.experiment, look.data)


def _gathered(experiment: Experiment, is_stopped: bool) -> Data:
    data = designs.of(experiment).collect(experiment)
    past = past_looks(experiment)
    data["prior"] = workspace_prior(past) | {"rates": rate_prior(past)}
    data["is_stopped"] = is_stopped
    data["is_final"] = _is_final(experiment, data)
    started = experiment.started_at or now()
    data["days_run"] = max((now() - started).total_seconds() / 86_400, 1 / 24)
    data["days_to_end"] = (
        max((experiment.ends_at - now()).total_seconds() / 86_400, 0.0) if experiment.ends_at else None
    )
    return data


def _is_final(experiment: Experiment, data: Data) -> bool:
    """Its registered end: the last day, or the last of the planned posts."""
    if experiment.ends_at and now() >= experiment.ends_at:
        return True
    if experiment.design not in POST_DESIGNS:
        return False
    is_entered = len(data["posts"]) + len(data["excluded"]) > 0
    if experiment.design == Experiment.Design.PROGRAMME:
        return is_entered and len(data["posts"]) >= experiment.settings["posts"]
    return is_entered and not data["to_come"] and not data["waiting"]


def _outlook(experiment: Experiment, data: Data, result: Data) -> Data:
    """Days left, and the money that is at stake while it is not known who is better."""
    if experiment.design not in VISITOR_DESIGNS:
        return {"days_left": _days_to_end(data), "money": None}
    units = sum(arm["units"] for arm in result["arms"])
    per_day = units / data["days_run"]
    missing = max((experiment.planned_units or 0) - result["smallest_arm"], 0) * len(result["arms"])
    days = missing / per_day if per_day else math.inf
    left = min(days, data["days_to_end"] if data["days_to_end"] is not None else days)
    days_left = math.ceil(left) if math.isfinite(left) else None
    return {"days_left": days_left, "per_day": per_day, "money": _money(experiment, result, data, per_day, days_left)}


def _days_to_end(data: Data) -> int | None:
    return None if data["days_to_end"] is None else math.ceil(data["days_to_end"])


def _money(experiment: Experiment, result: Data, data: Data, per_day: float, days_left: int | None) -> Data | None:
    """In millionths of the workspace's currency; None where nobody said what a conversion is worth."""
    from experiments.stats import roi

    value = experiment.settings["value_micro"]
    leader = next(arm for arm in result["arms"] if arm["key"] == result["leader"])
    if not value or not per_day:
        return None
    at_risk = leader["expected_loss"] * value * per_day * (days_left or 0)
    found = {"value_micro": value, "at_risk_micro": round(at_risk), "gain": None}
    if leader["lift"]:
        control = next(arm for arm in result["arms"] if arm["key"] == data["control"])
        effect = roi.Effect(
            1.0 + control["hits"],
            1.0 + control["units"] - control["hits"],
            leader["lift"]["shrunk_log"],
            leader["lift"]["shrunk_sd"],
        )
        gain = roi.rollout_gain(effect, exposures=per_day * GAIN_DAYS, value=value)
        found["gain"] = {
            "days": GAIN_DAYS,
            "mean_micro": round(gain.mean),
            "interval_micro": [round(end) for end in gain.interval],
            "chance_positive": gain.p_positive,
        }
    return found


def _act(experiment: Experiment, look: Look, before: str | None) -> None:
    health = look.result.get("health") or {}
    broken = [rail for rail in look.result.get("guardrails", []) if rail["is_broken"]]
    if health.get("is_broken"):
        _pause(experiment, look, "Paused: visitors do not arrive in the shares that were set.")
    elif broken:
        name = experiment.arms.get(key=broken[0]["arm"]).name
        text = f"Paused: “{name}” has more “{broken[0]['metric']}” than the guardrail allows."
        _pause(experiment, look, text)
    elif look.data["is_final"]:
        cancel_planned(experiment)
        # Posts that still gather are looked at once more: whatever ends has no look after it.
        if not look.data.get("waiting"):
            _end(experiment, look)
    elif look.verdict in TOLD and look.verdict != before:
        _tell(experiment, look.sentence)


def _pause(experiment: Experiment, look: Look, text: str) -> None:
    experiment.status, experiment.status_text, experiment.due_at = Status.PAUSED, text[:300], None
    experiment.save(update_fields=["status", "status_text", "due_at"])
    allocation.close_split(experiment)
    actor = system_actor(experiment.workspace, allocation.LABEL, ())
    audit.record("experiment.pause", experiment, by=actor, reason=text, look=look.number, data_hash=look.data_hash)
    _tell(experiment, text, alert=True)


def _end(experiment: Experiment, look: Look) -> None:
    experiment.status, experiment.status_text = Status.STOPPED, "It reached its registered end."
    experiment.stopped_at, experiment.due_at = now(), None
    experiment.save(update_fields=["status", "status_text", "stopped_at", "due_at"])
    allocation.close_split(experiment)
    actor = system_actor(experiment.workspace, allocation.LABEL, ())
    audit.record("experiment.end", experiment, by=actor, verdict=look.verdict, data_hash=look.data_hash)
    _tell(experiment, look.sentence)


def _tell(experiment: Experiment, text: str, *, alert: bool = False) -> None:
    told = f"“{experiment.name}”: {text}"
    path = f"/experiments/{experiment.pk}"
    notify(experiment.workspace, "experiment", told[:300], path=path, perm=Perm.CONTENT_EDIT, alert=alert)


def next_due(experiment: Experiment) -> Any:
    """Every hour on the first day and for a bandit, then every six hours."""
    is_new = experiment.started_at is None or now() < experiment.started_at + FIRST_DAY
    is_bandit = experiment.allocation != Experiment.Allocation.FIXED
    later = now() + (EVERY_HOUR if is_new or is_bandit else LATER)
    return min(later, experiment.ends_at) if experiment.ends_at and experiment.ends_at > now() else later
