"""Two groups for staff, made by `migrate`: who may only look, and who may also act. A superuser puts people in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SUPPORT, MODERATION = "Support", "Moderation"
OURS = {"accounts", "agents", "campaigns", "compliance", "social"}
# What the actions of a moderator ask for. Rules, switches and people are for superusers.
MODERATED = {
    "accounts": ["workspace", "apikey"],
    "campaigns": ["campaign", "delivery", "source"],
    "compliance": ["accounthealth", "review"],
    "social": ["connection"],
}


def make_staff_groups(**_signal: Any) -> None:
    """After `migrate` of the last app, when all permissions exist. What an operator added to a group stays."""
    seen = Permission.objects.filter(_may_look())
    acts = Permission.objects.filter(_may_act())
    Group.objects.get_or_create(name=SUPPORT)[0].permissions.add(*seen)
    Group.objects.get_or_create(name=MODERATION)[0].permissions.add(*seen, *acts)


def _may_look() -> Q:
    """Whatever has a page in the admin."""
    models = [model._meta for model in admin.site._registry if model._meta.app_label in OURS]
    return _any_of([("view", meta.app_label, str(meta.model_name)) for meta in models])


def _may_act() -> Q:
    return _any_of([("change", app, name) for app, names in MODERATED.items() for name in names])


def _any_of(wanted: list[tuple[str, str, str]]) -> Q:
    found = Q(pk__in=[])
    for act, app, name in wanted:
        found |= Q(content_type__app_label=app, content_type__model=name, codename=f"{act}_{name}")
    return found
