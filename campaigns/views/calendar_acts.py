"""What is done in the calendar. The answer is the calendar again, with a word about it and a way back."""

from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import Actor, Perm
from accounts.web import MemberRequest, member_view
from campaigns import calendar_moves as moves
from campaigns.access import get_delivery
from campaigns.calendar_clock import city
from campaigns.deliveries import publish_now
from campaigns.holidays import set_holiday_countries
from campaigns.models import Delivery
from campaigns.views.calendar import NOTICE, Notice, read_uuid, show_calendar
from campaigns.views.outcome import Refusal, attempt
from campaigns.wall_clock import gap_note


class MoveForm(forms.Form):
    delivery = forms.UUIDField()
    day = forms.DateField(error_messages={"required": "Choose a day.", "invalid": "Choose a day."})
    time = forms.TimeField(required=False, error_messages={"invalid": "Choose a time."})
    # The time that the person saw it at; empty for none.
    seen = forms.CharField(required=False, max_length=40)
    now = forms.BooleanField(required=False)


@member_view()
def calendar_move(request: MemberRequest) -> HttpResponse:
    """GET is the way without a pointer or a script: a small form for one post."""
    pk = read_uuid((request.POST or request.GET).get("delivery", ""))
    delivery = get_delivery(request.actor, pk or UUID(int=0))
    if request.method != "POST":
        return _move_page(request, delivery)
    done: list[Notice] = []
    refusal = attempt(lambda: done.append(_move(request, delivery)))
    if refusal is None:
        return _done(request, done[0])
    return (
        _move_page(request, delivery, refusal) if "page" in request.POST else show_calendar(request, refusal, delivery)
    )


def _move(request: MemberRequest, delivery: Delivery) -> Notice:
    form = MoveForm(request.POST)
    if not form.is_valid():
        raise ValidationError({name: list(errors) for name, errors in form.errors.items()})
    values, zone = form.cleaned_data, request.actor.workspace.time_zone
    if values["now"]:
        publish_now(delivery, by=request.actor)
        return Notice(f"“{delivery.post}” is on its way.")
    at = _target(delivery, values["day"], values["time"], zone)
    moved = moves.move_delivery(delivery, at, by=request.actor, seen=_moment(values["seen"]))
    typed = f"{values['day']}T{values['time'] or moves.wall_clock_of(delivery, zone)}"
    return Notice(_sentence(moved, zone, gap_note(typed, zone)), moves.undo_token([moved], by=request.actor))


def _target(delivery: Delivery, day: date, at: time | None, zone: str) -> datetime:
    try:
        return moves.target_of(delivery, day, at, zone)
    except OverflowError:
        # The first and the last day of the calendar do not exist in every zone.
        raise ValidationError({"day": "Choose a day."}) from None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValidationError("This page is too old. Reload it, then move the post again.") from None


def _sentence(moved: moves.Moved, zone: str, note: str) -> str:
    assert moved.after is not None
    local = moved.after.astimezone(ZoneInfo(zone))
    text = f"“{moved.title}” now stands on {local:%a} {local.day} {local:%B}, {local:%H:%M} {city(ZoneInfo(zone))}."
    return f"{text} {note}".strip()


def _move_page(request: MemberRequest, delivery: Delivery, refusal: Refusal | None = None) -> HttpResponse:
    request.actor.require(Perm.PUBLISH)
    context = {"delivery": delivery, "refusal": refusal, "typed": request.POST}
    return render(request, "campaigns/calendar_move.html", context, status=refusal.status if refusal else 200)


def _done(request: MemberRequest, notice: Notice) -> HttpResponse:
    request.session[NOTICE] = {"text": notice.text, "undo": notice.undo, "refused": notice.refused}
    query = request.GET.copy()
    query.pop("delivery", None)
    return redirect(f"{reverse('campaigns:calendar')}?{query.urlencode()}")


@require_POST
@member_view()
def calendar_undo(request: MemberRequest) -> HttpResponse:
    done: list[moves.Outcome] = []
    refusal = attempt(lambda: done.append(moves.undo_moves(request.POST.get("token", ""), by=request.actor)))
    if refusal:
        return show_calendar(request, refusal)
    return _done(request, _summary("Moved back", done[0]))


@require_POST
@member_view()
def calendar_bulk(request: MemberRequest) -> HttpResponse:
    """Move, unschedule or cancel what is selected; one answer for all of it."""
    ids = [pk for text in request.POST.getlist("delivery") if (pk := read_uuid(text))]
    done: list[Notice] = []
    refusal = attempt(lambda: done.append(_bulk(request, ids)))
    return show_calendar(request, refusal) if refusal else _done(request, done[0])


def _bulk(request: MemberRequest, ids: list[UUID]) -> Notice:
    actor, action = request.actor, request.POST.get("action", "")
    if action == "move":
        days = forms.IntegerField(error_messages={"invalid": "Give a number of days."}).clean(request.POST.get("days"))
        outcome = moves.move_by_days(ids, days, by=actor)
        return _summary("Moved", outcome, _undo(outcome, actor))
    if action == "unschedule":
        outcome = moves.unschedule_several(ids, by=actor)
        return _summary("Taken out of the calendar", outcome, _undo(outcome, actor))
    if action == "cancel":
        return _summary("Canceled", moves.cancel_several(ids, by=actor))
    raise ValidationError("Choose what to do with the selected posts.")


def _undo(outcome: moves.Outcome, actor: Actor) -> str:
    return moves.undo_token(outcome.moved, by=actor) if outcome.moved else ""


def _summary(what: str, outcome: moves.Outcome, undo: str = "") -> Notice:
    number = len(outcome.moved)
    posts = f"{number} post{'' if number == 1 else 's'}"
    text = f"{what}: {posts}." if number else "Nothing was changed."
    return Notice(text, undo, outcome.refused)


@require_POST
@member_view()
def calendar_holidays(request: MemberRequest) -> HttpResponse:
    chosen = request.POST.getlist("countries")
    refusal = attempt(lambda: set_holiday_countries(chosen, by=request.actor))
    if refusal:
        return show_calendar(request, refusal)
    messages.success(request, "The calendar shows these holidays now." if chosen else "No holidays are shown.")
    return redirect(f"{reverse('campaigns:calendar')}?{request.GET.urlencode()}")
