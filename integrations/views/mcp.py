"""Settings → MCP servers."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from integrations import servers
from integrations.client_setup import PLACEHOLDER, setups
from integrations.forms import ServerForm
from integrations.mcp.registry import TOOLS
from integrations.models import McpServer
from integrations.server_access import find_server, is_admin, is_own
from integrations.server_usage import servers_with_calls, tokens_of, usage_by_day, usage_by_tool
from integrations.servers import ServerConflict
from integrations.tool_groups import GROUPS, groups_of

Act = Callable[..., object]


@require_GET
@member_view(Perm.VIEW)
def server_list(request: MemberRequest) -> HttpResponse:
    found = servers_with_calls(request.actor)
    own = [server for server in found if is_own(server, request.actor)]
    others = [server for server in found if not is_own(server, request.actor)]
    return render(request, "integrations/mcp_list.html", {"own": own, "others": others})


@never_cache
@member_view(Perm.VIEW)
def server_new(request: MemberRequest) -> HttpResponse:
    form = ServerForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            server, secret = servers.create_server(by=request.actor, **form.arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            # Shown in this answer only: neither the session nor the messages ever hold it.
            return _detail(request, server, secret=secret)
    return render(request, "integrations/mcp_form.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_GET
@member_view(Perm.VIEW)
def server_detail(request: MemberRequest, server_id: UUID) -> HttpResponse:
    return _detail(request, find_server(server_id, by=request.actor))


@member_view(Perm.VIEW)
def server_edit(request: MemberRequest, server_id: UUID) -> HttpResponse:
    server = find_server(server_id, by=request.actor)
    if not is_own(server, request.actor) or server.status == McpServer.Status.REVOKED:
        return redirect("integrations:mcp-server", server_id)
    form = ServerForm(request.POST or None, actor=request.actor, server=server)
    if request.method == "POST" and form.is_valid():
        try:
            servers.update_server(server, by=request.actor, **form.arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. It counts from the next call on.")
            return redirect("integrations:mcp-server", server_id)
    context = {"form": form, "server": server}
    return render(request, "integrations/mcp_form.html", context, status=422 if form.errors else 200)


@never_cache
@require_POST
@member_view(Perm.VIEW)
def server_rotate(request: MemberRequest, server_id: UUID) -> HttpResponse:
    server = find_server(server_id, by=request.actor)
    try:
        _token, secret = servers.rotate_token(server, by=request.actor)
    except (ValidationError, ServerConflict) as error:
        return _refused(request, server_id, error)
    return _detail(request, server, secret=secret, is_rotated=True)


@require_POST
@member_view(Perm.VIEW)
def server_suspend(request: MemberRequest, server_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _act(request, server_id, servers.suspend_server, "Suspended: its tokens open nothing.", reason=reason)


@require_POST
@member_view(Perm.VIEW)
def server_resume(request: MemberRequest, server_id: UUID) -> HttpResponse:
    return _act(request, server_id, servers.resume_server, "It answers again.")


@require_POST
@member_view(Perm.VIEW)
def server_revoke(request: MemberRequest, server_id: UUID) -> HttpResponse:
    return _act(request, server_id, servers.revoke_server, "Revoked. Whatever used it is refused from now on.")


@require_POST
@member_view(Perm.VIEW)
def token_revoke(request: MemberRequest, server_id: UUID, token_id: UUID) -> HttpResponse:
    server = find_server(server_id, by=request.actor)
    servers.revoke_token(server, token_id, by=request.actor)
    messages.success(request, "Token revoked. Whatever used it is refused from now on.")
    return redirect("integrations:mcp-server", server_id)


def _act(request: MemberRequest, server_id: UUID, act: Act, done: str, **arguments: object) -> HttpResponse:
    server = find_server(server_id, by=request.actor)
    try:
        act(server, by=request.actor, **arguments)
    except ServerConflict as error:
        return _refused(request, server_id, error)
    messages.success(request, done)
    return redirect("integrations:mcp-server", server_id)


def _refused(request: MemberRequest, server_id: UUID, error: Exception) -> HttpResponse:
    text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    messages.error(request, text)
    return redirect("integrations:mcp-server", server_id)


def _detail(request: MemberRequest, server: McpServer, *, secret: str = "", is_rotated: bool = False) -> HttpResponse:
    context = {
        "server": server,
        "secret": secret,
        "is_rotated": is_rotated,
        "is_own": is_own(server, request.actor),
        "may_resume": is_admin(request.actor) or server.suspended_by == McpServer.Suspender.PERSON,
        "groups": [GROUPS[name].label for name in groups_of(server.tools)],
        "tools": [TOOLS[name] for name in server.tools if name in TOOLS],
        "tokens": tokens_of(server),
        "by_tool": usage_by_tool(server),
        "by_day": usage_by_day(server),
        "setups": setups(secret or PLACEHOLDER),
        "mcp_url": settings.MCP_URL,
    }
    return render(request, "integrations/mcp_detail.html", context)
