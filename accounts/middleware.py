"""The workspace stands in the address (/w/<slug>/…), so that two tabs can be in two workspaces."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import get_script_prefix, set_script_prefix
from django_htmx.middleware import HtmxDetails

from accounts.access import Actor, actor_for
from accounts.models import Membership, User
from accounts.scope import all_workspaces_scope

# To the very end: a line break is a letter of the path like any other.
PREFIX = re.compile(r"/w/([a-z0-9_-]+)(/.*)?\Z", re.DOTALL)
# Not of one workspace: under a prefix they are missing pages.
WITHOUT_PREFIX = ("/admin/", "/static/", "/w/")
# No page of a member: nobody needs to be looked up.
WITHOUT_MEMBER = ("/api/", "/static/", "/admin/")


class PageRequest(HttpRequest):
    """What the middlewares add to every request."""

    workspace_slug: str
    actor: Actor | None
    htmx: HtmxDetails


Next = Callable[[PageRequest], HttpResponse]


class WorkspacePrefixMiddleware:
    """Takes /w/<slug> off the path and makes it the prefix of every address this request reverses."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        request.workspace_slug = ""
        match = PREFIX.match(request.path_info)
        if not match or (match[2] or "").startswith(WITHOUT_PREFIX):
            return self.get_response(request)
        if not match[2]:
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        request.workspace_slug, request.path_info = match[1], match[2]
        with _prefix(f"{get_script_prefix()}w/{match[1]}/"):
            return self.get_response(request)


@contextmanager
def _prefix(value: str) -> Iterator[None]:
    former = get_script_prefix()
    set_script_prefix(value)
    try:
        yield
    finally:
        set_script_prefix(former)


@contextmanager
def root_addresses() -> Iterator[None]:
    """Addresses for a mail: whoever opens it may not belong to the workspace of this request."""
    with _prefix(re.sub(r"(?<=/)w/[a-z0-9_-]+/$", "", get_script_prefix())):
        yield


class WorkspaceMiddleware:
    """Finds the member behind a page request. The rows stay closed until a view opens the scope."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        user = request.user
        request.actor = None
        if isinstance(user, User) and not request.path_info.startswith(WITHOUT_MEMBER):
            request.actor = find_actor(user, request.workspace_slug)
            if request.actor is None and request.workspace_slug:
                raise Http404("No such workspace.")
            if request.actor and request.workspace_slug:
                _remember(user, request.actor)
        return self.get_response(request)


def find_actor(user: User, slug: str) -> Actor | None:
    """The person in the named workspace; without a name, in the one used last, or else in the first."""
    mine = Membership.objects.select_related("workspace").filter(user=user)
    if slug:
        member = mine.filter(workspace__slug=slug).first()
    else:
        members = list(mine)
        member = next((m for m in members if m.workspace_id == user.last_workspace_id), None)
        member = member or next(iter(members), None)
    if member is None:
        return None
    member.user = user
    return actor_for(member)


def _remember(user: User, actor: Actor) -> None:
    if user.last_workspace_id != actor.workspace.pk:
        User.objects.filter(pk=user.pk).update(last_workspace=actor.workspace.pk)


class StaffScopeMiddleware:
    """The admin works across workspaces: only there, only for staff, only after log-in."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/") or not getattr(request.user, "is_staff", False):
            return self.get_response(request)
        with all_workspaces_scope("staff moderation"):
            return self.get_response(request)
