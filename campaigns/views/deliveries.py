from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import UsageEntry
from accounts.web import MemberRequest, member_view
from campaigns import deliveries as services
from campaigns.access import get_delivery
from campaigns.attention import tab_of
from campaigns.delivery_actions import delivery_actions
from campaigns.live_rules import text_now, why_not_editable
from campaigns.models import Attempt, Delivery, LiveChange, LivePart
from campaigns.post_room import say_room
from campaigns.previews import Preview, PreviewPart, preview_delivery
from campaigns.queries import with_content
from campaigns.rendering import RenderedPart
from campaigns.rendering import render as render_delivery
from campaigns.views.outcome import Refusal, attempt
from campaigns.views.posts import show_post
from campaigns.wall_clock import gap_note, parse_local
from lib.clock import now
from lib.money import dollars
from social.models import Network
from social.networks.links import LINK_EXAMPLES, account_url

State = Delivery.State
MOVING = {State.PUBLISHING, State.RETRY_WAIT, State.UNCONFIRMED}
# A plan this near is watched.
SOON = timedelta(minutes=2)


# Here a thread may stand still with some of its parts live.
HALF_WAY = {State.FAILED, State.RETRY_WAIT, State.SCHEDULED, State.MISSED, State.PAUSED}


@dataclass(frozen=True)
class PartReceipt:
    number: int
    preview: PreviewPart
    live: LivePart | None
    # Why the network takes no edit of it.
    why_not: str = ""
    edited_text: str = ""
    # The state of a change that is not over yet: there is one at a time.
    open_change: str = ""


@member_view()
def delivery_detail(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    if request.headers.get("HX-Request") and request.GET.get("seen") == _version(delivery):
        # Nothing new: the page keeps what is open and half typed.
        return HttpResponse(status=204 if _is_moving(delivery) else 286)
    return show_delivery(request, delivery)


def show_delivery(request: MemberRequest, delivery: Delivery, refusal: Refusal | None = None) -> HttpResponse:
    loaded = with_content(Delivery.objects.filter(pk=delivery.pk)).select_related("approved_by")
    changes = LiveChange.objects.select_related("requested_by")
    parts = LivePart.objects.select_related("connection", "delivery__post").prefetch_related(
        Prefetch("changes", changes)
    )
    delivery = loaded.prefetch_related(Prefetch("live_parts", parts), "attempts").get()
    preview = preview_delivery(delivery)
    receipts = _receipts(delivery, preview)
    live = [part for part in receipts if part.live and not part.live.deleted_at]
    actions = delivery_actions(delivery, request.actor)
    is_taken_down = any(part.live and part.live.deleted_at for part in receipts)
    context = {
        "delivery": delivery,
        "preview": preview,
        "parts": receipts,
        "live_count": len(live),
        "is_half": bool(live) and len(live) < len(receipts) and delivery.state in HALF_WAY,
        "attempts": sorted(delivery.attempts.all(), key=lambda row: -row.number),
        "actions": actions - AGAIN if is_taken_down else actions,
        "cost": _cost(delivery),
        "chat_url": account_url(delivery.connection),
        "link_example": LINK_EXAMPLES[Network(delivery.connection.network)],
        "delay_s": _delay_s(delivery),
        "is_moving": _is_moving(delivery),
        "version": _version(delivery),
        "shows_raw": request.user.is_staff,
        "no_room": say_room(request.actor.workspace, 1),
        "refusal": refusal,
    }
    return render(request, "campaigns/delivery_detail.html", context, status=refusal.status if refusal else 200)


# What would publish the rest of a thread whose beginning is gone.
AGAIN = {"publish", "schedule", "slot"}


def _receipts(delivery: Delivery, preview: Preview) -> list[PartReceipt]:
    live = {part.position: part for part in delivery.live_parts.all()}
    contents = render_delivery(delivery).parts
    return [
        _receipt(position, part, contents[position], live.get(position)) for position, part in enumerate(preview.parts)
    ]


def _receipt(position: int, preview: PreviewPart, content: RenderedPart, live: LivePart | None) -> PartReceipt:
    if live is None:
        return PartReceipt(position + 1, preview, None)
    text = text_now(live, content)
    edited = text if text != content.text else ""
    states = {change.state for change in live.changes.all()}
    open_change = next(
        (state for state in (LiveChange.State.QUEUED, LiveChange.State.IN_REVIEW) if state in states), ""
    )
    return PartReceipt(position + 1, preview, live, why_not_editable(live, content), edited, open_change)


@dataclass(frozen=True)
class CallCosts:
    spent: str
    reserved: str


def _cost(delivery: Delivery) -> CallCosts:
    """Of the calls that make it live."""
    entries = UsageEntry.objects.filter(object_id=delivery.pk).exclude(status=UsageEntry.Status.RELEASED)
    sums = dict(entries.order_by().values_list("status").annotate(Sum("amount_micro")))
    spent, held = (sums.get(status, 0) for status in (UsageEntry.Status.SETTLED, UsageEntry.Status.RESERVED))
    return CallCosts(dollars(spent) if spent else "", dollars(held) if held else "")


def _delay_s(delivery: Delivery) -> int | None:
    if delivery.published_at is None or delivery.scheduled_at is None:
        return None
    return max(0, round((delivery.published_at - delivery.scheduled_at).total_seconds()))


def _is_moving(delivery: Delivery) -> bool:
    if delivery.state == State.SCHEDULED:
        return delivery.due_at is not None and delivery.due_at < now() + SOON
    return delivery.state in MOVING or _queued_changes(delivery).exists()


def _queued_changes(delivery: Delivery) -> QuerySet[LiveChange]:
    return LiveChange.objects.filter(part__delivery=delivery, state=LiveChange.State.QUEUED)


def _version(delivery: Delivery) -> str:
    """Changes with everything the receipt shows."""
    last = Attempt.objects.filter(delivery=delivery).order_by("-number").first()
    tried = (last.number, last.outcome, last.submitting_at, last.finished_at) if last else ()
    live = LivePart.objects.filter(delivery=delivery).count()
    changes = LiveChange.objects.filter(part__delivery=delivery).order_by("created_at").values_list("state", flat=True)
    facts = (delivery.state, delivery.due_at, delivery.lookups, delivery.failures, live, *tried, *changes)
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
    return show_post(request, delivery.post, refusal) if is_on_post else show_delivery(request, delivery, refusal)
