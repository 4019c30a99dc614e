"""Settings → Webhooks."""

import json
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import queries, services
from integrations.webhooks.forms import EndpointForm, ReplayForm
from integrations.webhooks.kinds import KINDS
from integrations.webhooks.payloads import example_of

PAGE = 30


@require_GET
@member_view(Perm.WEBHOOKS)
def webhook_list(request: MemberRequest) -> HttpResponse:
    rows = queries.with_waiting(queries.visible_endpoints(request.actor))
    return render(request, "integrations/webhook_list.html", {"endpoints": rows})


@never_cache
@member_view(Perm.WEBHOOKS, scope=False)
def webhook_new(request: MemberRequest) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.create_endpoint(by=request.actor, **form.arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            with workspace_scope(request.actor.workspace.pk):
                return _detail(request, row, secret=secret)
    return _form(request, form)


@member_view(Perm.WEBHOOKS, scope=False)
def webhook_edit(request: MemberRequest, endpoint_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        row = queries.get_endpoint(request.actor, endpoint_id)
    form = EndpointForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_endpoint(row, by=request.actor, **form.arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("integrations:webhook", row.pk)
    return _form(request, form, row)


def _form(request: MemberRequest, form: EndpointForm, row: WebhookEndpoint | None = None) -> HttpResponse:
    context = {"form": form, "endpoint": row}
    with workspace_scope(request.actor.workspace.pk):
        return render(request, "integrations/webhook_form.html", context, status=422 if form.errors else 200)


@require_GET
@member_view(Perm.WEBHOOKS)
def webhook_detail(request: MemberRequest, endpoint_id: UUID) -> HttpResponse:
    return _detail(request, queries.get_endpoint(request.actor, endpoint_id))


def _detail(request: MemberRequest, row: WebhookEndpoint, **more: object) -> HttpResponse:
    rows = queries.search_deliveries(request.actor, row, request.GET)
    context = {
        "endpoint": row,
        "counts": queries.count_by_status(row),
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "statuses": WebhookDelivery.Status.choices,
        "kinds": list(KINDS),
        "is_narrowed": bool(request.GET.get("status") or request.GET.get("kind")),
        "replay": ReplayForm(),
        **more,
    }
    return render(request, "integrations/webhook_detail.html", context)


@never_cache
@require_POST
@member_view(Perm.WEBHOOKS)
def webhook_rotate(request: MemberRequest, endpoint_id: UUID) -> HttpResponse:
    row = queries.get_endpoint(request.actor, endpoint_id)
    # Shown in this answer only: neither the session nor the messages ever hold it.
    return _detail(request, row, secret=services.rotate_secret(row, by=request.actor), is_rotated=True)


@require_POST
@member_view(Perm.WEBHOOKS, scope=False)
def webhook_test(request: MemberRequest, endpoint_id: UUID) -> HttpResponse:
    try:
        sent = services.try_endpoint(endpoint_id, by=request.actor)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("integrations:webhook", endpoint_id)
    return redirect("integrations:webhook-sent", sent.pk)


@require_POST
@member_view(Perm.WEBHOOKS)
def webhook_act(request: MemberRequest, endpoint_id: UUID, act: str) -> HttpResponse:
    row = queries.get_endpoint(request.actor, endpoint_id)
    acts = {
        "pause": (services.pause_endpoint, "Paused. Nothing is sent, and what happens meanwhile is not kept for it."),
        "resume": (services.resume_endpoint, "Resumed. What waited is sent now."),
        "delete": (services.delete_endpoint, "Deleted."),
    }
    if act not in acts:
        raise Http404("No such page.")
    do, text = acts[act]
    do(row, by=request.actor)
    messages.success(request, text)
    return redirect("integrations:webhooks") if act == "delete" else redirect("integrations:webhook", endpoint_id)


@require_POST
@member_view(Perm.WEBHOOKS)
def webhook_replay_failed(request: MemberRequest, endpoint_id: UUID) -> HttpResponse:
    row, form = queries.get_endpoint(request.actor, endpoint_id), ReplayForm(request.POST)
    if form.is_valid():
        count = services.replay_failed(row, form.since(), by=request.actor)
        messages.success(request, f"{count} sent again." if count else "Nothing failed in that time.")
    else:
        messages.error(request, "Choose a time.")
    return redirect("integrations:webhook", row.pk)


@require_GET
@member_view(Perm.WEBHOOKS)
def webhook_sent(request: MemberRequest, webhook_delivery_id: UUID) -> HttpResponse:
    row = queries.get_delivery(request.actor, webhook_delivery_id)
    context = {"delivery": row, "endpoint": row.endpoint, "body": as_text(row.payload), "tries": row.log.all()}
    return render(request, "integrations/webhook_sent.html", context)


@require_POST
@member_view(Perm.WEBHOOKS)
def webhook_replay(request: MemberRequest, webhook_delivery_id: UUID) -> HttpResponse:
    row = queries.get_delivery(request.actor, webhook_delivery_id)
    try:
        copy = services.replay_delivery(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("integrations:webhook-sent", row.pk)
    messages.success(request, "It is sent again within seconds.")
    return redirect("integrations:webhook-sent", copy.pk)


@require_GET
@member_view(Perm.WEBHOOKS)
def webhook_kinds(request: MemberRequest) -> HttpResponse:
    rows = [(kind, as_text(example_of(request.actor.workspace, kind.name))) for kind in KINDS.values()]
    return render(request, "integrations/webhook_kinds.html", {"rows": rows})


def as_text(payload: object) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2)
