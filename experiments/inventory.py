"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import WITH_WORKSPACE, Rule, declare
from accounts.inventory_categories import MEASURES
from experiments.models import Arm, Epoch, Experiment, Look, Unit

MENTION, UNLINK = Rule.MENTION, Rule.UNLINK
HERE = {"path": "workspace"}

declare(
    Experiment,
    MEASURES,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK, "name": MENTION, "hypothesis": MENTION, "registered": MENTION},
    not_personal=("metric", "status_text", "winner", "guardrails", "settings", "registered_hash"),
    **HERE,
)
declare(Arm, MEASURES, WITH_WORKSPACE, personal={"name": MENTION, "content": MENTION}, not_personal=("key",), **HERE)
declare(Epoch, MEASURES, WITH_WORKSPACE, not_personal=("reason", "data", "weights", "salt", "data_hash"), **HERE)
declare(Unit, MEASURES, WITH_WORKSPACE, not_personal=("reason", "facts", "block"), **HERE)
declare(Look, MEASURES, WITH_WORKSPACE, not_personal=("data", "sentence", "result", "data_hash", "refusals"), **HERE)
