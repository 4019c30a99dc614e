"""A person's own data: a copy, corrections, a pause, an objection, the end of the account. Without a workspace."""

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.web import UserRequest
from compliance.models import PrivacyRequest
from compliance.privacy import files, requests

Kind = PrivacyRequest.Kind
DONE = {
    Kind.EXPORT: "Your copy is being made. It appears here, and we mail you when it is ready.",
    Kind.RECTIFY: "It is being corrected.",
    Kind.OBJECT: "Noted: we no longer mail you alerts.",
}
# After these nobody is logged in any more.
ENDING = {
    Kind.ERASE: "Your account is being deleted. We confirm it by mail.",
    Kind.RESTRICT: "Your account is paused: everything is kept, nothing is used. The link in our mail brings it back.",
}


@login_required
def own_privacy(request: UserRequest) -> HttpResponse:
    rows = requests.own_requests(request.user)
    context = {
        "rows": [(row, files.has_file(row)) for row in rows],
        "blockers": requests.blockers_of(request.user),
        "is_copying": any(row.kind == Kind.EXPORT and row.status == requests.Status.RUNNING for row in rows),
    }
    return render(request, "compliance/privacy_own.html", context)


@require_POST
@login_required
@reauthentication_required
def ask(request: UserRequest, kind: str) -> HttpResponse:
    """Whoever sits at an unlocked computer must not get, or end, somebody's account: the password is asked again."""
    if kind not in {*DONE, *ENDING} or kind == Kind.RECTIFY:
        return HttpResponse(status=404)
    try:
        requests.open_own_request(kind, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("compliance:own-privacy")
    if kind in ENDING:
        logout(request)
        return render(request, "compliance/privacy_ended.html", {"text": ENDING[Kind(kind)]})
    messages.success(request, DONE[Kind(kind)])
    return redirect("compliance:own-privacy")


@login_required
def own_file(request: UserRequest, request_id: UUID) -> HttpResponseBase:
    # Strangers learn nothing, not even that there is something to prove.
    return _send(request, requests.get_own_request(request.user, request_id))


@reauthentication_required
def _send(request: UserRequest, row: PrivacyRequest) -> HttpResponseBase:
    return files.download(row)
