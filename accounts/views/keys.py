from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey
from accounts.services import create_api_key, revoke_api_key
from accounts.web import MemberRequest, add_errors, member_view


@never_cache
@member_view(Perm.API_KEYS)
def key_list(request: MemberRequest) -> HttpResponse:
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key, secret = create_api_key(by=request.actor, **form.create_arguments())
        except ValidationError as error:
            add_errors(form, error)
        else:
            # Shown in this answer only: neither the session nor the messages ever hold it.
            return _page(request, ApiKeyForm(), new_key=key, secret=secret)
    return _page(request, form, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.API_KEYS)
def revoke(request: MemberRequest, key_id: UUID) -> HttpResponse:
    revoke_api_key(key_id, by=request.actor)
    messages.success(request, "Key revoked. Whatever used it is refused from now on.")
    return redirect("accounts:keys")


def _page(request: MemberRequest, form: ApiKeyForm, status: int = 200, **context: object) -> HttpResponse:
    keys = ApiKey.objects.filter(workspace=request.actor.workspace).select_related("created_by")
    return render(request, "accounts/keys.html", {"form": form, "keys": keys, **context}, status=status)
