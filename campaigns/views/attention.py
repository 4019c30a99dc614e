"""What needs a person, the pre-flight board, and the page after an outage."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from campaigns import attention as queries
from campaigns.access import visible_deliveries
from campaigns.dead_letters import STUCK, retry_failed
from campaigns.delivery_actions import delivery_actions
from campaigns.models import Delivery
from campaigns.outage import Settled, find_outages, settle_missed
from campaigns.post_room import say_room
from campaigns.preflight import count_levels, find_flights
from campaigns.views.outcome import Refusal, attempt
from social.access import get_connection

State = Delivery.State
PAGE_SIZE = 25
Row = tuple[Delivery, set[str]]


@require_GET
@member_view(Perm.VIEW)
def attention(request: MemberRequest) -> HttpResponse:
    actor = request.actor
    counts = queries.count_attention(actor)
    tab = _tab(request, counts)
    context = {
        "tab": tab,
        "nav_counts": queries.navigation_of(counts),
        "tabs": [(name, label, counts[name]) for name, label in queries.TABS.items()],
        "outages": find_outages(actor) if counts["missed"] else [],
        "no_room": say_room(actor.workspace, 1),
        **_contents(request, tab),
    }
    return render(request, "campaigns/attention.html", context)


def _tab(request: HttpRequest, counts: dict[str, int]) -> str:
    """The one asked for, or the first that holds something."""
    wanted = request.GET.get("tab", "")
    if wanted in queries.TABS:
        return wanted
    return next((name for name in queries.TABS if counts[name]), "failed")


def _contents(request: MemberRequest, tab: str) -> dict[str, Any]:
    actor = request.actor
    if tab == "connections":
        return {"connections": queries.with_waiting(queries.broken_connections(actor.workspace))}
    if tab == "reviews":
        page = _page(request, queries.reviews_for(actor).select_related("requested_by"))
        return {"page": page, "reviews": queries.with_deliveries(list(page))}
    if tab == "failed" and "code" not in request.GET:
        found = queries.failed_causes(actor)
        return {"causes": [(cause, _with_actions(rows, actor)) for cause, rows in found]}
    rows = queries.deliveries_of(actor, tab)
    page = _page(request, _of_cause(request, rows) if tab == "failed" else rows)
    return {"page": page, "rows": _with_actions(list(page), actor)}


def _of_cause(request: MemberRequest, rows: Any) -> Any:
    try:
        connection_id = UUID(request.GET.get("connection", ""))
    except ValueError:
        return rows.none()
    return rows.filter(connection=connection_id, problem_code=request.GET["code"])


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _with_actions(rows: list[Delivery], actor: Actor) -> list[Row]:
    return [(row, delivery_actions(row, actor)) for row in rows]


@require_POST
@member_view(Perm.VIEW)
def connection_retry(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """All that failed on an account, or one cause of it where `code` names one."""
    connection = get_connection(request.actor, connection_id)
    code = request.POST.get("code")
    states = STUCK if code is None else [State.FAILED]

    def act() -> None:
        retried = retry_failed(connection, by=request.actor, code=code, states=states)
        messages.success(request, str(retried)) if retried.planned else messages.warning(request, str(retried))

    if refusal := attempt(act):
        messages.error(request, " ".join(refusal.messages))
    back = "social:connection-list" if request.POST.get("page") == "connections" else "campaigns:attention"
    return redirect(back)


# --- before and after -------------------------------------------------------------------------------------


@require_GET
@member_view(Perm.VIEW)
def preflight(request: MemberRequest) -> HttpResponse:
    flights = find_flights(request.actor)
    counts = count_levels(flights)
    wanted = request.GET.get("level", "")
    wanted = wanted if wanted in counts else ""
    context = {
        "flights": [flight for flight in flights if not wanted or flight.level == wanted],
        "level": wanted,
        "pills": [("", "All", len(flights)), *((level, level.capitalize(), counts[level]) for level in counts)],
    }
    return render(request, "campaigns/preflight.html", context)


@member_view(Perm.VIEW)
def outage(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return _outage_page(request)
    results: list[Settled] = []
    refusal = attempt(lambda: results.extend(_settle(request)))
    if refusal:
        return _outage_page(request, refusal)
    done = sum(one.is_done for one in results)
    if done:
        messages.success(request, f"{done} {'post is' if done == 1 else 'posts are'} settled.")
    return _outage_page(request, results=results)


def _outage_page(
    request: MemberRequest, refusal: Refusal | None = None, results: Sequence[Settled] = ()
) -> HttpResponse:
    context = {
        "outages": find_outages(request.actor),
        "results": results,
        "refusal": refusal,
        "may_settle": request.actor.can(Perm.PUBLISH),
    }
    return render(request, "campaigns/outage.html", context, status=refusal.status if refusal else 200)


def _settle(request: MemberRequest) -> list[Settled]:
    chosen = visible_deliveries(request.actor).filter(pk__in=_uuids(request.POST.getlist("delivery")))
    return settle_missed(
        list(chosen),
        request.POST.get("action", ""),
        by=request.actor,
        days=_number(request, "days"),
        hours=_number(request, "hours"),
    )


def _uuids(values: list[str]) -> list[UUID]:
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise ValidationError({"deliveries": "Choose posts of the list."}) from None


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "").strip() or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise ValidationError({"days": "Give whole days and hours."})
    return int(text)
