"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.access import Actor, Perm
from accounts.models import Role, Workspace
from accounts.stops import instance_stop, workspace_stop
from campaigns.attention import count_for_navigation
from marketing.health import scheduler_age_s
from marketing.monitoring.pressure import poll_s

THEMES = {"light", "dark"}
REAL_X = "https://api.x.com"


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Whatever needs a query waits until a template asks: the pages of errors ask for nothing."""
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else "auto", "poll_s": SimpleLazyObject(poll_s)}
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return context
    context |= {
        "workspace": actor.workspace,
        "role": Role(actor.role).label,
        "can": {perm.name.lower(): actor.can(perm) for perm in Perm},
        "sandbox_mode": settings.X_API_BASE_URL != REAL_X,
    }
    return context if _is_fragment(request) else context | _frame(actor)


def _is_fragment(request: HttpRequest) -> bool:
    """A part of a page is swapped in; the frame stays. Going back in the history asks for the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _frame(actor: Actor) -> dict[str, Any]:
    return {
        "workspaces": Workspace.objects.filter(memberships__user=actor.user).order_by("name"),
        "nav_counts": SimpleLazyObject(lambda: count_for_navigation(actor)),
        "scheduler_age_s": scheduler_age_s(),
        "stopped": SimpleLazyObject(lambda: workspace_stop(actor.workspace)),
        "instance_stopped": SimpleLazyObject(instance_stop),
    }
