from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from campaigns.forms import WEEKDAYS, SlotForm
from campaigns.models import Slot
from campaigns.slot_preview import next_times
from campaigns.slots import add_slot, edit_slot, remove_slot
from social.access import get_connection
from social.models import Connection


@member_view(Perm.VIEW)
def slot_list(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    form = SlotForm(request.POST or None, initial={"time": "09:00", "time_zone": request.actor.workspace.time_zone})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            added = add_slot(
                connection,
                by=request.actor,
                weekdays=values["weekdays"],
                at=values["time"],
                time_zone=values["time_zone"],
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{len(added)} slot{'s' if len(added) > 1 else ''} at {values['time']:%H:%M}.")
            return redirect("campaigns:slot-list", connection.pk)
    slots = list(Slot.objects.filter(connection=connection).order_by("time"))
    context = {
        "connection": connection,
        "form": form,
        "week": [(name, [slot for slot in slots if slot.weekday == day]) for day, name in WEEKDAYS],
        "has_slots": bool(slots),
        "next_times": next_times(slots),
    }
    return render(request, "campaigns/slot_list.html", context, status=422 if form.errors else 200)


class SlotEditForm(SlotForm):
    """One slot has one day."""

    weekdays = None  # type: ignore[assignment]
    weekday = forms.TypedChoiceField(label="Day", choices=WEEKDAYS, coerce=int)
    field_order = ("weekday", "time", "time_zone")


@member_view(Perm.PUBLISH)
def slot_edit(request: MemberRequest, connection_id: UUID, slot_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    slot = _slot(connection, slot_id)
    initial = {"weekday": slot.weekday, "time": slot.time, "time_zone": slot.time_zone}
    form = SlotEditForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            edit_slot(
                slot, by=request.actor, weekday=values["weekday"], at=values["time"], time_zone=values["time_zone"]
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The slot is changed. Posts that are planned for it keep their time.")
            return redirect("campaigns:slot-list", connection.pk)
    context = {"connection": connection, "form": form}
    return render(request, "campaigns/slot_edit.html", context, status=422 if form.errors else 200)


def _slot(connection: Connection, slot_id: UUID) -> Slot:
    slot = Slot.objects.filter(connection=connection, pk=slot_id).select_related("connection").first()
    if slot is None:
        raise Http404("No such slot.")
    return slot


@require_POST
@member_view(Perm.VIEW)
def slot_remove(request: MemberRequest, connection_id: UUID, slot_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    remove_slot(_slot(connection, slot_id), by=request.actor)
    messages.success(request, "The slot is gone. Posts that are planned for it keep their time.")
    return redirect("campaigns:slot-list", connection.pk)
