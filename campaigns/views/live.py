"""What can be done to a post that is live: edit it, take it down, look at its answers."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, member_view
from campaigns import live_changes, replies
from campaigns.access import get_delivery, get_live_part
from campaigns.errors import NotAllowedNow
from campaigns.live_rules import text_now, why_not_editable
from campaigns.models import Delivery, LivePart
from campaigns.previews import PreviewPart
from campaigns.queries import with_content
from campaigns.rendering import RenderedPart, render_part
from campaigns.rendering import render as render_delivery
from campaigns.views.deliveries import show_delivery
from campaigns.views.outcome import Refusal, attempt
from social.models import Network
from social.networks.port import NetworkError, SeenPost
from social.networks.rules import RULES
from social.networks.x.prices import part_cost

WAITS = "The edit waits for approval. Until then the post stays as it is."
GOES = "It is being taken down."


@member_view(Perm.PUBLISH)
def live_edit(request: MemberRequest, delivery_id: UUID, position: int) -> HttpResponse:
    part = get_live_part(request.actor, delivery_id, position)
    delivery = with_content(Delivery.objects.filter(pk=delivery_id)).get()
    content = render_delivery(delivery).parts[position]
    if request.method != "POST":
        return _edit_form(request, part, delivery, content, text_now(part, content))
    text = request.POST.get("text", "")
    if "count" in request.GET:
        return _edit_form(request, part, delivery, content, text)
    if refusal := attempt(lambda: live_changes.request_edit(part, text, by=request.actor)):
        return _edit_form(request, part, delivery, content, text, refusal)
    messages.success(request, WAITS)
    return redirect(delivery)


def _edit_form(
    request: MemberRequest,
    part: LivePart,
    delivery: Delivery,
    content: RenderedPart,
    text: str,
    refusal: Refusal | None = None,
) -> HttpResponse:
    context = {
        "part": part,
        "delivery": delivery,
        "is_thread": delivery.post.parts.count() > 1,
        "text": text,
        "before": text_now(part, content),
        "counter": _counter(part, render_part(part.connection, text, content.media, delivery.post.is_marked)),
        "why_not": why_not_editable(part, content),
        "refusal": refusal,
    }
    return render(request, "campaigns/delivery_edit.html", context, status=refusal.status if refusal else 200)


def _counter(part: LivePart, rendered: RenderedPart) -> PreviewPart:
    rules = RULES[part.connection.network]
    return PreviewPart(
        html=SafeString(""),
        media=[],
        used=rules.length(rendered.text),
        limit=rules.limit(part.connection, bool(rendered.media)),
        cost_micro=part_cost(rendered.text) if part.connection.network == Network.X else 0,
    )


@require_POST
@member_view()
def live_take_down(request: MemberRequest, delivery_id: UUID, position: int) -> HttpResponse:
    part = get_live_part(request.actor, delivery_id, position)
    refusal = attempt(lambda: live_changes.take_down(part, by=request.actor))
    return _back(request, delivery_id, refusal)


@require_POST
@member_view()
def live_take_down_all(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    refusal = attempt(lambda: live_changes.take_down_all(delivery, by=request.actor))
    return _back(request, delivery_id, refusal)


def _back(request: MemberRequest, delivery_id: UUID, refusal: Refusal | None) -> HttpResponse:
    delivery = get_delivery(request.actor, delivery_id)
    if refusal:
        return show_delivery(request, delivery, refusal)
    messages.success(request, GOES)
    return redirect(delivery)


# --- answers: these talk to X, so they stand outside any transaction -------------------------------------------


@member_view(Perm.VIEW, scope=False)
def live_answers(request: MemberRequest, delivery_id: UUID) -> HttpResponse:
    return _show_answers(request, _first_part(request, delivery_id))


@require_POST
@member_view(Perm.VIEW, scope=False)
def live_answer_hide(request: MemberRequest, delivery_id: UUID, reply: str) -> HttpResponse:
    part, hidden = _first_part(request, delivery_id), request.POST.get("hidden") == "1"
    problem = _problem_of(lambda: replies.hide_reply(part, reply, hidden=hidden, by=request.actor))
    return _show_answers(request, part, problem, {} if problem else {reply: hidden})


def _first_part(request: MemberRequest, delivery_id: UUID) -> LivePart:
    with workspace_scope(request.actor.workspace.pk):
        return get_live_part(request.actor, delivery_id, 0)


def _problem_of(act: Callable[[], object]) -> str:
    try:
        act()
    except NetworkError as error:
        return error.message
    except NotAllowedNow as error:
        return str(error)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _show_answers(
    request: MemberRequest, part: LivePart, problem: str = "", done: dict[str, bool] | None = None
) -> HttpResponse:
    """`done`: what this request has hidden or shown; X does not tell in its list."""
    found: list[SeenPost] = []
    problem = _problem_of(lambda: found.extend(replies.list_replies(part, by=request.actor))) or problem
    answers = [{"post": post, "is_hidden": (done or {}).get(post.remote_id)} for post in found]
    context = {"delivery": part.delivery, "answers": answers, "problem": problem}
    with workspace_scope(request.actor.workspace.pk):
        return render(request, "campaigns/delivery_answers.html", context)
