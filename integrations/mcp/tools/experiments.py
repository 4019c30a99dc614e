"""Experiments and what may be concluded from them."""

from uuid import UUID

from accounts.access import Actor, Perm
from accounts.models import Workspace
from experiments.access import get_experiment, visible_experiments
from experiments.badges import badge_of
from experiments.models import Experiment, Look
from experiments.words import settings_in_words
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import PAGE, page_of, page_url, when
from integrations.mcp.tools.schemas import JSON, an_id, choice, closed, id_of

NO_LOOK = "Nobody has looked at its results yet."


def experiments(actor: Actor, args: JSON) -> JSON:
    if experiment_id := id_of(args, "experiment_id"):
        return whole_experiment(get_experiment(actor, experiment_id), actor)
    rows = visible_experiments(actor)
    if args.get("status"):
        rows = rows.filter(status=args["status"])
    page = page_of(rows, args, lambda row: row)
    looks = _last_looks(page["items"])
    shown = [_row(row, looks.get(row.pk), actor.workspace) for row in page["items"]]
    return page | {"items": shown, "time_zone": actor.workspace.time_zone}


def _last_looks(rows: list[Experiment]) -> dict[UUID, Look]:
    newest = Look.objects.filter(experiment__in=rows).order_by("experiment_id", "-number").distinct("experiment_id")
    return {look.experiment_id: look for look in newest}


def _row(row: Experiment, look: Look | None, workspace: Workspace) -> JSON:
    return {
        "experiment_id": str(row.pk),
        "name": row.name,
        "tests": badge_of(row).name,
        "metric": row.metric,
        "status": row.status,
        "verdict": look.verdict if look else None,
        "says": look.sentence if look else NO_LOOK,
        "looked_at": when(look.at if look else None, workspace),
    }


def whole_experiment(row: Experiment, actor: Actor) -> JSON:
    badge, look = badge_of(row), row.looks.first()
    return _row(row, look, actor.workspace) | {
        "hypothesis": row.hypothesis,
        "claim": badge.claim,
        "caution": badge.caution,
        "status_text": row.status_text,
        "refusals": look.refusals if look else [],
        "arms": [{"key": arm.key, "name": arm.name, "is_control": arm.is_control} for arm in row.arms.all()],
        "winner": row.winner or None,
        "settings": settings_in_words(row),
        "planned_units": row.planned_units,
        "units": badge.units,
        "started_at": when(row.started_at, actor.workspace),
        "ends_at": when(row.ends_at, actor.workspace),
        "time_zone": actor.workspace.time_zone,
        "page": page_url(actor, row.get_absolute_url()),
    }


TOOLS = (
    ToolDef(
        name="experiments",
        title="Experiments",
        description=(
            "Tests of links and posts, newest first; with experiment_id one of them. `says` is the verdict in a "
            "sentence: repeat it as it stands, and claim no winner where it names none."
        ),
        input_schema=closed(
            experiment_id=an_id("One experiment."),
            status=choice("Only of this status.", Experiment.Status.values),
            **PAGE,
        ),
        do=experiments,
        perm=Perm.VIEW,
    ),
)
