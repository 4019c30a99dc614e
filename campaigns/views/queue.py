import json
from collections.abc import Callable
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, member_view
from campaigns.access import get_delivery
from campaigns.calendar_clock import city
from campaigns.deliveries import add_to_next_slot, unschedule
from campaigns.models import Delivery
from campaigns.queue import move_in_queue, prioritise_delivery
from campaigns.queue_queries import posts_without_time, queue_entries
from campaigns.views.calendar import read_uuid
from campaigns.views.outcome import Refusal, attempt
from social.access import get_connection
from social.models import Connection


@member_view(Perm.VIEW)
def queue(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    return _show(request, get_connection(request.actor, connection_id))


def _show(request: MemberRequest, connection: Connection, refusal: Refusal | None = None) -> HttpResponse:
    entries = queue_entries(connection, request.actor)
    context = {
        "connection": connection,
        "entries": entries,
        "last_place": max((entry.place for entry in entries if entry.place is not None), default=-1),
        "waiting": posts_without_time(connection, request.actor),
        "city": city(ZoneInfo(request.actor.workspace.time_zone)),
        "refusal": refusal,
    }
    response = render(request, "campaigns/queue.html", context, status=refusal.status if refusal else 200)
    if moved := read_uuid(request.GET.get("moved", "")):
        # The keyboard goes on where the post stands now.
        response["HX-Trigger-After-Settle"] = json.dumps({"focusOn": f"queue-{moved}"})
    return response


@require_POST
@member_view(Perm.VIEW)
def queue_act(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    delivery = get_delivery(request.actor, read_uuid(request.POST.get("delivery", "")) or UUID(int=0))
    refusal = attempt(lambda: _act(request, connection, delivery))
    if refusal:
        return _show(request, connection, refusal)
    return redirect(f"{reverse('campaigns:queue', args=[connection.pk])}?moved={delivery.pk}")


def _act(request: MemberRequest, connection: Connection, delivery: Delivery) -> None:
    if delivery.connection_id != connection.pk:
        raise ValidationError("This post goes to another account.")
    by = request.actor
    acts: dict[str, Callable[[], object]] = {
        "move": lambda: move_in_queue(delivery, _place(request.POST.get("place", "")), by=by),
        "first": lambda: prioritise_delivery(delivery, by=by),
        "add": lambda: add_to_next_slot(delivery, by=by),
        "out": lambda: unschedule(delivery, by=by),
    }
    act = acts.get(request.POST.get("action", ""))
    if act is None:
        raise ValidationError("Choose what to do with the post.")
    act()


def _place(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise ValidationError("Choose a place in the queue.")
    return int(text)
