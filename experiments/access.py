"""The only way to load an object of this app: 404 to strangers and guests, 403 to the wrong role."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from experiments.models import Experiment


def visible_experiments(actor: Actor) -> QuerySet[Experiment]:
    actor.require(Perm.VIEW)
    return Experiment.objects.filter(workspace=actor.workspace)


def get_experiment(actor: Actor, experiment_id: UUID) -> Experiment:
    rows = visible_experiments(actor).select_related("workspace", "campaign", "created_by")
    row = rows.filter(pk=experiment_id).first()
    if row is None:
        raise Http404("Not found.")
    return row
