"""Guests see single objects, by grants that django-guardian keeps."""

from collections.abc import Callable
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from guardian.models import UserObjectPermission

from accounts.models import User, Workspace

# By the kind of object an invitation may carry: grants it to the person, or does nothing where the object is gone.
# The app that owns the kind fills this in its apps.py.
GUEST_SHARES: dict[str, Callable[[User, UUID], None]] = {}


def drop_grants(user: User, workspace: Workspace) -> None:
    """Whoever leaves a workspace loses what was shared with them there (call it inside its scope)."""
    grants = UserObjectPermission.objects.filter(user=user)
    for kind in ContentType.objects.filter(pk__in=grants.values("content_type")):
        model = kind.model_class()
        of_kind = grants.filter(content_type=kind)
        if model is None or not hasattr(model, "workspace_id"):
            continue
        shared = of_kind.values_list("object_pk", flat=True)
        own = model._default_manager.filter(workspace=workspace, pk__in=list(shared)).values_list("pk", flat=True)
        of_kind.filter(object_pk__in=[str(pk) for pk in own]).delete()
