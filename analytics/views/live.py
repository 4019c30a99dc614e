from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import StreamingHttpResponse
from django.views.decorators.http import require_GET

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, member_view
from analytics.queries.live import CONNECTION_S, kpi_events
from analytics.views.dashboard import read_wanted

# Each open page holds a thread of the web server.
MOST_OPEN = 3
KEPT_S = int(CONNECTION_S) * 2


@member_view(Perm.VIEW, scope=False)
@require_GET
def results_live(request: MemberRequest) -> Any:
    """The cards of a page of results, while it is open; takes the fields of the page's own address."""
    workspace = request.actor.workspace
    with workspace_scope(workspace.pk):
        wanted = read_wanted(request, request.actor)
    events = kpi_events(
        workspace,
        wanted.choice.period,
        campaign=wanted.campaign,
        connection=wanted.connection,
        is_wanted=take_place(request.user.pk),
    )
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    # A proxy that collects answers would show nothing until the end.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def take_place(person: object) -> Callable[[], bool]:
    """Whether the place is still ours: whoever opens one page more takes that of the oldest."""
    turns = f"results-live:{person}"
    cache.add(turns, 0, KEPT_S)
    cache.touch(turns, KEPT_S)
    try:
        mine = cache.incr(turns)
    except ValueError:
        # It ran out between the calls: nobody else is there.
        mine = 0
    place = f"{turns}:{mine % MOST_OPEN}"
    cache.set(place, mine, KEPT_S)
    return lambda: cache.get(place) == mine
