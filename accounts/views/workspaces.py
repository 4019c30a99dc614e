from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.access import Perm
from accounts.forms import NewWorkspaceForm, WorkspaceForm
from accounts.middleware import PageRequest
from accounts.models import Membership, Workspace
from accounts.services import create_workspace, update_workspace
from accounts.stops import release_workspace, stop_workspace
from accounts.usage_queries import month_summary
from accounts.web import MemberRequest, UserRequest, add_errors, member_view, workspace_path

THEMES = {"auto", "light", "dark"}
YEAR_S = 365 * 24 * 3600


@login_required
def new_workspace(request: UserRequest) -> HttpResponse:
    form = NewWorkspaceForm(request.POST or None, initial={"time_zone": request.user.time_zone or "UTC"})
    if form.is_valid():
        try:
            workspace = create_workspace(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{workspace} is ready.")
            return redirect(workspace_path(workspace))
    return render(request, "accounts/workspace_new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def switch_workspace(request: UserRequest) -> HttpResponse:
    slug = request.POST.get("workspace", "")
    member = Membership.objects.select_related("workspace").filter(user=request.user, workspace__slug=slug).first()
    if member is None:
        raise Http404("No such workspace.")
    return redirect(workspace_path(member.workspace))


@require_POST
def set_theme(request: PageRequest) -> HttpResponse:
    """For everybody, logged in or not: the choice belongs to the browser."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("Choose auto, light or dark.")
    response = HttpResponse(status=204) if request.htmx else redirect(_back(request))
    response.set_cookie("theme", theme, max_age=YEAR_S, samesite="Lax", secure=settings.HTTPS, httponly=True)
    return response


def _back(request: HttpRequest) -> str:
    referer = request.headers.get("Referer", "")
    is_own = url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure())
    return referer if is_own else "/"


@member_view(Perm.VIEW)
def workspace_settings(request: MemberRequest) -> HttpResponse:
    """Everybody may look; who may not change anything sees no button, and is refused by the service."""
    actor = request.actor
    form = WorkspaceForm(request.POST or None, instance=Workspace.objects.get(pk=actor.workspace.pk))
    if request.method == "POST" and form.is_valid():
        try:
            update_workspace(by=actor, **form.settings())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Settings saved.")
            return redirect("accounts:settings")
    may_change = actor.can(Perm.SETTINGS)
    if not may_change:
        for field in form.fields.values():
            field.disabled = True
    context = {"form": form, "may_change": may_change, "budget": month_summary(actor.workspace)}
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@require_POST
@member_view(Perm.PUBLISH)
def stop(request: MemberRequest) -> HttpResponse:
    # The banner of the next page says the rest.
    stop_workspace(request.POST.get("reason", ""), by=request.actor)
    return redirect(_back(request))


@require_POST
@member_view()
def release(request: MemberRequest) -> HttpResponse:
    try:
        if release_workspace(by=request.actor):
            messages.success(request, "Publishing goes on.")
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return redirect(_back(request))
