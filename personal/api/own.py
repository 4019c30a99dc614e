"""Routes under /api/users/{id}: the id is the caller's own, any other is as good as missing."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from accounts.answers import ListView
from accounts.api_auth import require_own_write
from accounts.rest import WorkspaceView
from personal.access import require_self

USER_ID = OpenApiParameter("user_id", UUID, OpenApiParameter.PATH, description="Your own id; any other answers 404.")
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of what you changed; 409 when it is older."
)


class OwnView(WorkspaceView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_self(self.actor, kwargs["user_id"])
        require_own_write(request)


class OwnListView(OwnView, ListView):
    """Answers pages."""
