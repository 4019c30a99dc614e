"""Settings → Outside tools."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view
from integrations.forms import OutsideForm
from integrations.models import OutsideServer
from integrations.outside import services
from integrations.outside.access import find_outside, outside_servers
from integrations.outside.facts import tool_facts


@require_GET
@member_view(Perm.TOOLS)
def outside_list(request: MemberRequest) -> HttpResponse:
    found = [(row, len(services.offered_tools(row))) for row in outside_servers(request.actor)]
    return render(request, "integrations/outside_list.html", {"servers": found})


# Outside of a transaction: what was attached is looked at at once, which talks to a stranger.
@member_view(Perm.TOOLS, scope=False)
def outside_new(request: MemberRequest) -> HttpResponse:
    form = OutsideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with workspace_scope(request.actor.workspace.pk):
                row = services.attach_server(by=request.actor, **_with_text(form.arguments()))
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _look(request, row)
    return render(request, "integrations/outside_form.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@member_view(Perm.TOOLS)
def outside_detail(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    return _detail(request, find_outside(outside_id, by=request.actor))


@member_view(Perm.TOOLS)
def outside_edit(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    row = find_outside(outside_id, by=request.actor)
    form = OutsideForm(request.POST or None, outside=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_outside(row, by=request.actor, **form.arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("integrations:outside-server", outside_id)
    context = {"form": form, "server": row}
    return render(request, "integrations/outside_form.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.TOOLS, scope=False)
def outside_look(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    with workspace_scope(request.actor.workspace.pk):
        row = find_outside(outside_id, by=request.actor)
    return _look(request, row)


@require_POST
@member_view(Perm.TOOLS)
def outside_allow(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    row = find_outside(outside_id, by=request.actor)
    form = request.POST
    try:
        services.allow_tools(
            row,
            form.getlist("tools"),
            by=request.actor,
            read_only=form.getlist("read_only"),
            seen=form.get("seen", "") or "-",
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "Saved. It counts from the next call on.")
    return redirect("integrations:outside-server", outside_id)


@require_POST
@member_view(Perm.TOOLS)
def outside_pause(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    services.set_active(find_outside(outside_id, by=request.actor), False, by=request.actor)
    messages.success(request, "Paused: assistants no longer see its tools.")
    return redirect("integrations:outside-server", outside_id)


@require_POST
@member_view(Perm.TOOLS)
def outside_resume(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    services.set_active(find_outside(outside_id, by=request.actor), True, by=request.actor)
    messages.success(request, "Assistants see its tools again.")
    return redirect("integrations:outside-server", outside_id)


@require_POST
@member_view(Perm.TOOLS)
def outside_detach(request: MemberRequest, outside_id: UUID) -> HttpResponse:
    services.detach_server(find_outside(outside_id, by=request.actor), by=request.actor)
    messages.success(request, "Detached. Its secret is deleted.")
    return redirect("integrations:outside")


def _look(request: MemberRequest, row: OutsideServer) -> HttpResponse:
    try:
        found = services.look_at(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if found.problem_text:
            messages.error(request, found.problem_text)
    return redirect("integrations:outside-server", row.pk)


def _detail(request: MemberRequest, row: OutsideServer) -> HttpResponse:
    context = {
        "server": row,
        "tools": tool_facts(row),
        "seen": services.digest_of(row),
        "has_secret": bool(row.secret),
        "shows_secret": services.shows_secret(row),
    }
    return render(request, "integrations/outside_detail.html", context)


def _with_text(arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments | {"secret": arguments["secret"] or ""}
