"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import WITH_INSTALLATION, WITH_WORKSPACE, Person, Rule, declare, keep_days
from accounts.inventory_categories import ASSISTANTS, OPERATION
from personal.models import Brief, Observation, Preference, Watch, WatchValue

OWN = Rule.OWN
HERE = {"path": "workspace", "subjects": {Person.USER: "user"}, "is_private": True}

declare(
    Preference,
    ASSISTANTS,
    WITH_WORKSPACE,
    personal={"user": OWN, "interests": OWN},
    not_personal=("language", "channels"),
    **HERE,
)
declare(
    WatchValue,
    OPERATION,
    WITH_INSTALLATION,
    not_personal=("value", "data", "problem_text"),
)
declare(Observation, OPERATION, keep_days(90, "at"), not_personal=("data", "digest"))
declare(Watch, ASSISTANTS, WITH_WORKSPACE, personal={"user": OWN, "label": OWN}, **HERE)
declare(
    Brief,
    ASSISTANTS,
    WITH_WORKSPACE,
    personal={"user": OWN, "title": OWN, "data": OWN},
    not_personal=("language", "archive_key"),
    archived_in=("archive_key",),
    **HERE,
)
