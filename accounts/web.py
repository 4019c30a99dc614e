"""How pages enter a workspace, and what their forms share."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers

from accounts.access import Actor, Perm
from accounts.middleware import PageRequest
from accounts.models import User, Workspace
from accounts.scope import workspace_scope
from accounts.staff import suspension_text


class UserRequest(PageRequest):
    """A request by somebody who is logged in."""

    user: User


class MemberRequest(UserRequest):
    """A request by somebody who belongs to the workspace."""

    actor: Actor


View = Callable[..., HttpResponse]


def member_view(perm: Perm | None = None, *, scope: bool = True) -> Callable[[View], View]:
    """Let members in (with the permission, where one is named) and open their workspace for the whole view.

    `scope=False` is for views that talk to a network and open the short transactions themselves.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor = getattr(request, "actor", None)
            if actor is None:
                return redirect("accounts:workspace-new")
            if _opens_tab(request):
                return redirect(workspace_path(actor.workspace, request.get_full_path()))
            if actor.workspace.is_suspended:
                return _suspended(request, actor)
            if perm is not None:
                actor.require(perm)
            response = _call(view, cast(MemberRequest, request), actor, scope, args, kwargs)
            # One address answers a page and a fragment: caches must tell them apart.
            patch_vary_headers(response, ["HX-Request"])
            return response

        return entered

    return decorate


def _suspended(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Why nobody gets in, and the person's other workspaces."""
    others = Workspace.objects.filter(memberships__user=actor.user, is_suspended=False).order_by("name")
    context = {"text": suspension_text(actor.workspace), "others": others}
    return render(request, "accounts/suspended.html", context, status=HTTPStatus.FORBIDDEN)


def _opens_tab(request: HttpRequest) -> bool:
    """A browser tab without a workspace in its address would change workspace with every other tab."""
    is_navigation = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    return is_navigation and not getattr(request, "workspace_slug", "")


def _call(
    view: View,
    request: MemberRequest,
    actor: Actor,
    scope: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponse:
    if not scope:
        return view(request, *args, **kwargs)
    with workspace_scope(actor.workspace.pk):
        return view(request, *args, **kwargs)


def workspace_path(workspace: Workspace, path: str = "/") -> str:
    return f"/w/{workspace.slug}{path}"


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Put a service's refusal beside the fields it names, and the rest above the form."""
    found = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, errors in found.items():
        form.add_error(name if name in form.fields else None, errors)


def has_gpc(request: HttpRequest) -> bool:
    """Global Privacy Control: the browser says that its person wants no sale, sharing or profiling."""
    return request.headers.get("Sec-GPC") == "1"
