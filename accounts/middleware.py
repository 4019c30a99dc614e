"""The workspace stands in the address (/w/<slug>/…), so that two tabs can be in two workspaces."""

import re
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix

from accounts.access import Actor, actor_for
from accounts.models import Membership, User
from accounts.scope import all_workspaces_scope

PREFIX = re.compile(r"^/w/([a-z0-9-]+)(/.*)$")
Next = Callable[[HttpRequest], HttpResponse]


class WorkspacePrefixMiddleware:
    """Takes /w/<slug> off the path and makes it the prefix of every address this request reverses."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspace_slug = ""
        match = PREFIX.match(request.path_info)
        if not match:
            return self.get_response(request)
        request.workspace_slug, request.path_info = match[1], match[2]
        former = get_script_prefix()
        set_script_prefix(f"{former}w/{match[1]}/")
        try:
            return self.get_response(request)
        finally:
            set_script_prefix(former)


class WorkspaceMiddleware:
    """Finds the member behind a page request. The rows stay closed until a view opens the scope."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None
        if request.user.is_authenticated and not request.path_info.startswith(("/api/", "/static/")):
            request.actor = self._actor(request)
        return self.get_response(request)

    def _actor(self, request: HttpRequest) -> Actor | None:
        mine = Membership.objects.select_related("workspace", "user").filter(user=request.user)
        if slug := request.workspace_slug:
            member = mine.filter(workspace__slug=slug).first()
            if member is None:
                raise Http404("No such workspace.")
            if request.user.last_workspace_id != member.workspace_id:
                User.objects.filter(pk=request.user.pk).update(last_workspace=member.workspace_id)
        else:
            member = mine.filter(workspace_id=request.user.last_workspace_id).first() or mine.first()
        return actor_for(member) if member else None


class StaffScopeMiddleware:
    """The admin works across workspaces: only there, only for staff, only after log-in."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/") or not request.user.is_staff:
            return self.get_response(request)
        with all_workspaces_scope("staff moderation"):
            return self.get_response(request)
