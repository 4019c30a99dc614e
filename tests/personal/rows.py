"""One person's corner, filled, without any provider."""

from datetime import timedelta

from accounts.access import Actor
from agents.models import PeriodicTurn
from agents.periodic.services import create_task
from lib.clock import now
from personal.models import Brief, Observation, Watch, WatchValue

PRICE = {"price": 112.5, "text": "112.50", "currency": "USD", "name": "Acme Corp", "at": "2026-03-10T08:00:00+00:00"}
POST = {"id": "7", "text": "Spring roast is here", "at": PRICE["at"], "url": "https://x.com/i/status/7"}


def fill_corner(by: Actor) -> tuple[Brief, object]:
    """Inside the workspace's scope. A brief, and a task with a turn."""
    own = {"workspace": by.workspace, "user": by.user}
    add_watched(by, "symbol", "acme", PRICE, former=PRICE | {"price": 100.0, "text": "100.00"}, alert_percent=5.0)
    add_watched(by, "account", "mara", POST, label="The neighbours")
    add_watched(by, "keyword", "春季豆子", {}, problem_text="X could not be read.")
    lines = [{"text": "1 to review", "path": "/reviews"}, {"text": "2 failed to publish", "path": "/attention/"}]
    data = {"sections": [{"key": "needs_you", "title": "Needs you", "lines": lines}], "zone": "Europe/Berlin"}
    brief = Brief.objects.create(wanted_at=now(), title="Brief of 10 March 2026", data=data, **own)
    task = create_task(
        kind="brief", name="Morning brief", mode="cron", spec="0 9 * * 1-5", by=by, args={"with_words": True}
    )
    for days, status in ((1, "done"), (2, "quiet"), (3, "failed")):
        fields = {"wanted_at": now() - timedelta(days=days), "status": status}
        object_id = brief.pk if status == "done" else None
        PeriodicTurn.objects.create(workspace=by.workspace, task=task, object_id=object_id, **fields)
    return brief, task


def add_watched(by: Actor, kind: str, value: str, data: dict, former: dict | None = None, **fields: object) -> Watch:
    problem = str(fields.pop("problem_text", ""))
    known = [former, data] if former else [data] if data else []
    shared = WatchValue.objects.create(
        kind=kind,
        value=value,
        watchers=1,
        data=data,
        last_seq=len(known),
        read_at=now() if known else None,
        problem_text=problem,
    )
    for seq, one in enumerate(known, 1):
        items = [one] if kind != "symbol" else []
        Observation.objects.create(value=shared, seq=seq, data={"data": one, "items": items}, digest=str(seq))
    return Watch.objects.create(workspace=by.workspace, user=by.user, value=shared, **fields)


def corner_pages(by: Actor) -> list[str]:
    brief, task = fill_corner(by)
    own = f"/you/tasks/{task.pk}"
    return [f"/you/briefs/{brief.pk}", own, f"{own}/edit", "/you/tasks/new/prompt", "/you/tasks/new/report"]
