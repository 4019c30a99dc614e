"""Experiments for staff: to look at what was decided and why, and to pause one that does harm."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.access import Actor
from accounts.admin_site import ReadOnlyAdmin
from campaigns.admin import ModeratedAdmin
from experiments.models import Epoch, Experiment, Look
from experiments.services import pause_experiment

WORKSPACE = ["workspace__name", "workspace__slug"]


@admin.register(Experiment)
class ExperimentAdmin(ModeratedAdmin):
    list_display = ["name", "workspace", "design", "status", "metric", "version", "started_at", "ends_at"]
    list_filter = ["status", "design", "allocation"]
    search_fields = ["name", *WORKSPACE]
    actions = ["pause"]

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, rows: QuerySet[Experiment]) -> None:
        self.act_on(request, rows, "experiment.pause", _pause)


def _pause(row: Experiment, actor: Actor) -> None:
    pause_experiment(row, by=actor, reason="Paused by staff.")


@admin.register(Look)
class LookAdmin(ReadOnlyAdmin):
    list_display = ["experiment", "number", "verdict", "at", "data_hash"]
    list_filter = ["verdict"]
    search_fields = ["experiment__name", *WORKSPACE]
    list_select_related = ["experiment"]


@admin.register(Epoch)
class EpochAdmin(ReadOnlyAdmin):
    list_display = ["experiment", "number", "reason", "weights", "seed", "started_at"]
    search_fields = ["experiment__name", *WORKSPACE]
    list_select_related = ["experiment"]
