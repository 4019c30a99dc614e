from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Invitation, User
from accounts.services import accept_invitation, find_invitation
from accounts.web import workspace_path


@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    found = find_invitation(token)
    if found is None:
        request.session.pop("invitation", None)
        return render(request, "accounts/invitation_gone.html", status=410)
    if request.method == "POST" and isinstance(request.user, User):
        return _accept(request, request.user, found, token)
    if not request.user.is_authenticated:
        # Kept through sign-up and log-in: the adapter then makes no workspace of their own.
        request.session["invitation"] = token
    return _page(request, found, token)


def _accept(request: HttpRequest, user: User, found: Invitation, token: str) -> HttpResponse:
    try:
        accept_invitation(found, user)
    except (ValidationError, PermissionDenied) as error:
        # Not with an error status: Django logs the address of such answers, and the token stands in it.
        reason = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        return _page(request, found, token, reason)
    request.session.pop("invitation", None)
    messages.success(request, f"Welcome to {found.workspace}.")
    return redirect(workspace_path(found.workspace))


def _page(request: HttpRequest, found: Invitation, token: str, problem: str = "") -> HttpResponse:
    is_theirs = request.user.is_authenticated and request.user.email.lower() == found.email.lower()
    context = {"invitation": found, "token": token, "is_theirs": is_theirs, "problem": problem}
    return render(request, "accounts/invitation.html", context)
