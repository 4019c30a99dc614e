"""Pages of what is remembered, and of its daily tidying."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from agents.forms_memory import HourForm, ItemForm, SearchForm
from agents.memory import items
from agents.memory.consolidation import get_consolidation, undo_consolidation, visible_consolidations
from agents.memory.items import NotRemembered, Status
from agents.memory.workflow import consolidate_hour, set_consolidate_hour, start_consolidation
from agents.models import MemoryItem
from lib.clock import now

PAGE_SIZE = 30
DAYS = 60


@require_GET
@member_view(Perm.VIEW)
def item_list(request: MemberRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = items.visible_items(request.actor).select_related("user")
    waiting = rows.filter(status=Status.QUARANTINED).count()
    context = {
        "form": form,
        "words": asked.get("q", ""),
        "status": asked.get("status", ""),
        "waiting": waiting,
        "has_any": rows.exists(),
        "kinds": items.KINDS,
        "now": now(),
    }
    if asked.get("q"):
        context["found"] = items.search_items(request.actor, asked["q"])
    else:
        page = Paginator(_filtered(rows, asked), PAGE_SIZE).get_page(request.GET.get("page"))
        context["page"] = page
    return render(request, "agents/memory_list.html", context)


def _filtered(rows: QuerySet[MemoryItem], asked: dict[str, str]) -> QuerySet[MemoryItem]:
    status = asked.get("status") or Status.ACTIVE
    rows = rows.filter(status=status)
    if status == Status.ACTIVE:
        rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now()))
    return rows.filter(kind=asked["kind"]) if asked.get("kind") else rows


@member_view(Perm.CONTENT_EDIT)
def item_new(request: MemberRequest) -> HttpResponse:
    form = ItemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            item = items.remember(by=request.actor, **form.fields_for(request.actor.user))
        except ValidationError as error:
            add_errors(form, error)
            if isinstance(error, NotRemembered) and error.code == "forgotten":
                form.offer_again()
        else:
            messages.success(request, "Remembered.")
            return redirect("agents:memory-item", item.pk)
    return render(request, "agents/memory_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@member_view(Perm.VIEW)
def item_detail(request: MemberRequest, item_id: UUID) -> HttpResponse:
    item = items.get_item(request.actor, item_id)
    newer = item.superseded_by
    context = {
        "item": item,
        "kind": items.KINDS.get(item.kind, item.kind),
        "older": items.chain_of(item)[1:],
        "newer": newer if newer and items.visible_items(request.actor).filter(pk=newer.pk).exists() else None,
        "is_expired": item.expires_at is not None and item.expires_at <= now(),
        "may_change": request.actor.can(Perm.CONTENT_EDIT),
        "may_promote": request.actor.can(Perm.REVIEW),
    }
    return render(request, "agents/memory_item.html", context)


ACTS = {
    "undo": (items.undo_item, "Taken back. What it replaced counts again."),
    "expire": (items.expire_item, "Ended. The assistant does not use it any more."),
    "promote": (items.promote_item, "You vouch for it now: the assistant uses it."),
}


@require_POST
@member_view(Perm.VIEW)
def item_act(request: MemberRequest, item_id: UUID, act: str) -> HttpResponse:
    item = items.get_item(request.actor, item_id)
    if act == "forget":
        count = items.forget_item(item, by=request.actor)
        messages.success(request, "Forgotten." if count == 1 else f"Forgotten, with {count - 1} older versions.")
        return redirect("agents:memory")
    if act not in ACTS:
        raise Http404("Not found.")
    do, said = ACTS[act]
    if do(item, by=request.actor):
        messages.success(request, said)
    else:
        messages.warning(request, "Nothing to do: somebody was faster.")
    return redirect("agents:memory-item", item.pk)


# --- tidying ----------------------------------------------------------------------------------------------


@require_GET
@member_view(Perm.VIEW)
def day_list(request: MemberRequest) -> HttpResponse:
    context = {
        "days": visible_consolidations(request.actor).select_related("user")[:DAYS],
        "form": HourForm(initial={"hour": consolidate_hour(request.actor.workspace)}),
        "hour": consolidate_hour(request.actor.workspace),
        "may_change": request.actor.can(Perm.CONTENT_EDIT),
        "may_set": request.actor.can(Perm.SETTINGS),
    }
    return render(request, "agents/memory_days.html", context)


@require_POST
@member_view(Perm.SETTINGS)
def day_hour(request: MemberRequest) -> HttpResponse:
    form = HourForm(request.POST)
    if form.is_valid():
        set_consolidate_hour(form.cleaned_data["hour"], by=request.actor)
        messages.success(request, "Saved.")
    return redirect("agents:memory-days")


@require_POST
@member_view(Perm.CONTENT_EDIT)
def day_start(request: MemberRequest) -> HttpResponse:
    start_consolidation(by=request.actor, is_own=request.POST.get("own") == "1")
    messages.success(request, "Tidying has begun. What it changed will stand here.")
    return redirect("agents:memory-days")


@require_GET
@member_view(Perm.VIEW)
def day_detail(request: MemberRequest, day_id: UUID) -> HttpResponse:
    day = get_consolidation(request.actor, day_id)
    kept = {str(key) for key in MemoryItem.objects.filter(pk__in=_ids(day.diff)).values_list("pk", flat=True)}
    lines = [line | {"has_item": line.get("id") in kept} for line in day.diff]
    context = {"day": day, "lines": lines, "may_change": request.actor.can(Perm.CONTENT_EDIT)}
    return render(request, "agents/memory_day.html", context)


def _ids(diff: list[dict[str, str]]) -> list[str]:
    return [line["id"] for line in diff if line["act"] != "block"]


@require_POST
@member_view(Perm.CONTENT_EDIT)
def day_undo(request: MemberRequest, day_id: UUID) -> HttpResponse:
    day = get_consolidation(request.actor, day_id)
    undone = undo_consolidation(day, by=request.actor)
    if undone is None:
        messages.warning(request, "This was undone before.")
    else:
        messages.success(request, f"Undone: {undone} of {len(day.diff)}. What was changed since stays as it is.")
    return redirect("agents:memory-day", day.pk)
