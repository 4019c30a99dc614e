from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.web import MemberRequest, member_view
from campaigns import deliveries as services
from campaigns.access import get_delivery
from campaigns.attention import tab_of
from campaigns.delivery_actions import delivery_actions
from campaigns.models import Attempt, Delivery, LivePart
from campaigns.previews import Preview, PreviewPart, preview_delivery
from campaigns.queries import with_content
from campaigns.views.outcome import Refusal, attempt
from campaigns.views.posts import show_post
from campaigns.wall_clock import gap_note, parse_local
from lib.clock import now

State = Delivery.State
MOVING = {State.PUBLISHING, State.RETRY_WAIT, State.UNCONFIRMED}
# A plan this near is watched.
SOON = timedelta(minutes=2)


@dataclass(frozen=True)
class PartReceipt:
    number: int
    preview: PreviewPart
    live: LivePart | None


@member_view()
def delivery_detail(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    if request.headers.get("HX-Request") and request.GET.get("seen") == _version(delivery):
        # Nothing new: the page keeps what is open and half typed.
        return HttpResponse(status=204 if _is_moving(delivery) else 286)
    return _show(request, delivery)


def _show(request: MemberRequest, delivery: Delivery, refusal: Refusal | None = None) -> HttpResponse:
    loaded = with_content(Delivery.objects.filter(pk=delivery.pk)).select_related("approved_by")
    delivery = loaded.prefetch_related("live_parts", "attempts").get()
    preview = preview_delivery(delivery)
    context = {
        "delivery": delivery,
        "preview": preview,
        "parts": _receipts(delivery, preview),
        "attempts": sorted(delivery.attempts.all(), key=lambda row: -row.number),
        "actions": delivery_actions(delivery, request.actor),
        "delay_s": _delay_s(delivery),
        "is_moving": _is_moving(delivery),
        "version": _version(delivery),
        "shows_raw": request.user.is_staff,
        "refusal": refusal,
    }
    return render(request, "campaigns/delivery_detail.html", context, status=refusal.status if refusal else 200)


def _receipts(delivery: Delivery, preview: Preview) -> list[PartReceipt]:
    live = {part.position: part for part in delivery.live_parts.all()}
    return [PartReceipt(number, part, live.get(number - 1)) for number, part in enumerate(preview.parts, start=1)]


def _delay_s(delivery: Delivery) -> int | None:
    if delivery.published_at is None or delivery.scheduled_at is None:
        return None
    return max(0, round((delivery.published_at - delivery.scheduled_at).total_seconds()))


def _is_moving(delivery: Delivery) -> bool:
    if delivery.state == State.SCHEDULED:
        return delivery.due_at is not None and delivery.due_at < now() + SOON
    return delivery.state in MOVING


def _version(delivery: Delivery) -> str:
    """Changes with everything the receipt shows."""
    last = Attempt.objects.filter(delivery=delivery).order_by("-number").first()
    tried = (last.number, last.outcome, last.submitting_at, last.finished_at) if last else ()
    live = LivePart.objects.filter(delivery=delivery).count()
    facts = (delivery.state, delivery.due_at, delivery.lookups, delivery.failures, live, *tried)
    return "-".join(str(fact.timestamp() if hasattr(fact, "timestamp") else fact) for fact in facts)


# --- acts -------------------------------------------------------------------------------------------------


@require_POST
@member_view()
def delivery_schedule(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    def act(delivery: Delivery) -> None:
        typed, zone = request.POST.get("at", ""), request.actor.workspace.time_zone
        services.schedule_delivery(delivery, parse_local(typed, zone), by=request.actor)
        if note := gap_note(typed, zone):
            messages.warning(request, note)

    return _act(request, delivery_id, act, "The time is set.")


@require_POST
@member_view()
def delivery_next_slot(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _act(
        request,
        delivery_id,
        lambda delivery: services.add_to_next_slot(delivery, by=request.actor),
        "Planned for the next free slot.",
    )


@require_POST
@member_view()
def delivery_publish(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _act(request, delivery_id, lambda delivery: services.publish_now(delivery, by=request.actor), "On its way.")


@require_POST
@member_view()
def delivery_unschedule(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _act(
        request,
        delivery_id,
        lambda delivery: services.unschedule(delivery, by=request.actor),
        "Taken out of the calendar.",
    )


@require_POST
@member_view()
def delivery_cancel(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _act(
        request, delivery_id, lambda delivery: services.cancel_delivery(delivery, by=request.actor), "Canceled."
    )


@require_POST
@member_view()
def delivery_confirm_live(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    link = request.POST.get("link", "")
    return _act(
        request,
        delivery_id,
        lambda delivery: services.confirm_live(delivery, link, by=request.actor),
        "Thank you. The receipt is complete.",
    )


@require_POST
@member_view()
def delivery_send_again(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _act(
        request, delivery_id, lambda delivery: services.send_again(delivery, by=request.actor), "It is sent again."
    )


def _act(request: MemberRequest, delivery_id: UUID, act: Callable[[Delivery], object], done: str) -> HttpResponse:
    """Back to the page the button stood on; a refusal is shown there, with what was typed."""
    delivery = get_delivery(request.actor, delivery_id)
    is_on_post = request.POST.get("page") == "post"
    refusal = attempt(lambda: act(delivery))
    if refusal is None:
        messages.success(request, done)
        if request.POST.get("page") == "attention":
            return redirect(f"{reverse('campaigns:attention')}?tab={tab_of(delivery)}")
        return redirect(delivery.post if is_on_post else delivery)
    return show_post(request, delivery.post, refusal) if is_on_post else _show(request, delivery, refusal)
