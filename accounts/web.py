"""How pages enter a workspace."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers

from accounts.access import Actor, Perm
from accounts.scope import workspace_scope


class MemberRequest(HttpRequest):
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
            if actor.workspace.is_suspended:
                raise PermissionDenied("This workspace is suspended. Please contact support.")
            if perm is not None:
                actor.require(perm)
            response = _call(view, cast(MemberRequest, request), actor, scope, args, kwargs)
            # One address answers a page and a fragment: caches must tell them apart.
            patch_vary_headers(response, ["HX-Request"])
            return response

        return entered

    return decorate


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
