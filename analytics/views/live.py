from typing import Any

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_GET

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, member_view
from analytics.queries.live import kpi_events
from analytics.views.dashboard import read_wanted


@member_view(Perm.VIEW, scope=False)
@require_GET
def results_live(request: MemberRequest) -> Any:
    """The cards of a page of results, while it is open; takes the fields of the page's own address."""
    workspace = request.actor.workspace
    with workspace_scope(workspace.pk):
        wanted = read_wanted(request, request.actor)
    events = kpi_events(workspace, wanted.choice.period, campaign=wanted.campaign, connection=wanted.connection)
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    # A proxy that collects answers would show nothing until the end.
    response.headers["X-Accel-Buffering"] = "no"
    return response
