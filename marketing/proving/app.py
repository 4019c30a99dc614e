"""The product's workers with one more kind of periodic task, whose turns can be counted."""

import django

django.setup()

from django.db.models import F  # noqa: E402

from accounts.access import Actor  # noqa: E402
from accounts.models import Notification  # noqa: E402
from agents.models import PeriodicTask, PeriodicTurn  # noqa: E402
from agents.periodic.registry import Outcome, OutcomeStatus, PeriodicKind, register  # noqa: E402
from marketing.celery import app  # noqa: E402

__all__ = ["app"]
NAME = "proof"


def do(task: PeriodicTask, turn: PeriodicTurn, by: Actor) -> Outcome:
    """Like a brief: it reads what is new for its person three times, and writes one row, which nothing makes unique."""
    mine = Notification.objects.filter(workspace=by.workspace, user=by.user)
    unread = mine.filter(read_at=None).count()
    last = PeriodicTurn.objects.filter(task=task).exclude(pk=turn.pk).values_list("wanted_at", flat=True).first()
    fresh = list(mine.filter(created_at__gt=last or turn.wanted_at).order_by(F("created_at").desc())[:10])
    text = f"{unread} unread, {len(fresh)} new"
    note = Notification.objects.create(
        workspace=by.workspace, user=task.user, kind="proof", text=text, path=str(task.pk), read_at=turn.wanted_at
    )
    return Outcome(OutcomeStatus.DONE, text, object_id=None if note.pk is None else turn.pk)


register(PeriodicKind(NAME, "Proof", do))
