"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import Role, Workspace
from marketing.health import scheduler_age_s

THEMES = {"light", "dark"}
REAL_X = "https://api.x.com"


def page_context(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else "auto"}
    actor = getattr(request, "actor", None)
    if actor is None:
        return context
    return context | {
        "workspace": actor.workspace,
        "role": Role(actor.role).label,
        "workspaces": Workspace.objects.filter(memberships__user=actor.user).order_by("name"),
        "scheduler_age_s": scheduler_age_s(),
        "sandbox_mode": settings.X_API_BASE_URL != REAL_X,
    }
