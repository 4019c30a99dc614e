from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from accounts.access import Perm
from accounts.plans import PlanLimit
from accounts.scope import workspace_scope
from accounts.web import MemberRequest, add_errors, member_view, workspace_path
from social import connect, queries, services
from social.access import get_connection, get_own_app
from social.after_connect import notes_on
from social.forms import OwnAppForm, UserKeysForm
from social.models import Connection
from social.networks.port import NetworkError
from social.networks.x.scopes import SCOPES

LIST = "social:connection-list"


def _context(request: MemberRequest, **more: Any) -> dict[str, Any]:
    return {
        "workspace": request.actor.workspace,
        "can_manage": request.actor.can(Perm.CONNECTIONS),
        "can_connect": bool(settings.X_CLIENT_ID),
        "allows_own_keys": settings.X_OWN_KEYS,
        "scope_meanings": SCOPES,
        **more,
    }


@require_GET
@member_view(Perm.VIEW)
def connection_list(request: MemberRequest) -> HttpResponse:
    connections = list(queries.shown_connections(request.actor.workspace))
    return render(request, "social/connections.html", _context(request, connections=connections))


# --- connecting -------------------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS)
def connect_x(request: MemberRequest) -> HttpResponse:
    app_id = _uuid(request.POST.get("app", ""))
    app = get_own_app(request.actor, app_id) if app_id else None
    try:
        url = connect.start_connect(by=request.actor, session_key=request.session.session_key or "", app=app)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(LIST)
    return redirect(url)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Http404("No such app.") from None


@require_GET
@never_cache
@login_required
def connect_callback(request: HttpRequest) -> HttpResponse:
    """X sends the browser here; the state, not the address, says which workspace this is about."""
    try:
        connection = _finish(request)
    except (connect.ConnectRefused, PermissionDenied) as error:
        messages.error(request, str(error))
        return redirect(LIST)
    except PlanLimit as error:
        messages.error(request, " ".join(error.messages))
        return redirect(LIST)
    except NetworkError as error:
        messages.error(request, f"The account was not connected. {error.message}")
        return redirect(LIST)
    if connection is None:
        messages.warning(request, "You did not give access on X, so nothing was connected.")
        return redirect(LIST)
    _tell_connected(request, connection)
    return redirect(workspace_path(connection.workspace, reverse(LIST)))


def _finish(request: HttpRequest) -> Connection | None:
    """None when the person said no on X's page."""
    state, code, user = request.GET.get("state", ""), request.GET.get("code", ""), request.user
    session_key = request.session.session_key or ""
    assert user.is_authenticated
    if not code:
        connect.refuse_connect(state=state, user=user, session_key=session_key)
        return None
    return connect.finish_connect(state=state, code=code, user=user, session_key=session_key)


def _tell_connected(request: HttpRequest, connection: Connection) -> None:
    missing = [SCOPES[scope] for scope in connection.missing_scopes]
    if missing:
        messages.warning(request, f"{connection} is connected, but it may not {' or '.join(missing)}.")
    else:
        messages.success(request, f"{connection} is connected.")
    for text in notes_on(connection):
        messages.info(request, text)


# --- connected accounts -----------------------------------------------------------------------------------


@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def connection_check(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    workspace = request.actor.workspace
    with workspace_scope(workspace.pk):
        connection = get_connection(request.actor, connection_id)
    try:
        services.check_connection(connection)
        level, text = "success", f"{connection} works."
    except NetworkError as error:
        level, text = "error", error.message
    if not request.htmx:
        messages.add_message(request, getattr(messages, level.upper()), text)
        return redirect(LIST)
    with workspace_scope(workspace.pk):
        connection = get_connection(request.actor, connection_id)
    response = render(request, "social/_connection.html", _context(request, connection=connection))
    return trigger_client_event(response, "toast", {"text": text, "level": level})


@require_POST
@member_view(Perm.CONNECTIONS)
def connection_pause(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    return _set_paused(request, connection_id, True, "paused: nothing goes out through it.")


@require_POST
@member_view(Perm.CONNECTIONS)
def connection_resume(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    return _set_paused(request, connection_id, False, "active again.")


def _set_paused(request: MemberRequest, connection_id: UUID, paused: bool, text: str) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    if services.set_paused(connection, paused, by=request.actor):
        messages.success(request, f"{connection} is {text}")
    else:
        state = "active" if paused else "paused"
        messages.warning(request, f"Nothing changed: {connection} is not {state} any more.")
    return redirect(LIST)


@require_POST
@member_view(Perm.CONNECTIONS)
def connection_disconnect(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    connection = get_connection(request.actor, connection_id)
    services.disconnect(connection, by=request.actor)
    messages.success(request, f"{connection} is disconnected. Its history stays.")
    return redirect(LIST)


# --- keys of one's own ------------------------------------------------------------------------------------


@sensitive_post_parameters("client_secret")
@member_view(Perm.CONNECTIONS)
def own_keys(request: MemberRequest) -> HttpResponse:
    """The page, and keeping an app for OAuth 2.0."""
    _require_own_keys()
    form = OwnAppForm(request.POST or None)
    if form.is_valid():
        try:
            connect.save_own_app(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The app is saved. Connect an account with it.")
            return redirect("social:own-keys")
    return _keys_page(request, app_form=form)


@sensitive_post_parameters("consumer_secret", "access_token", "token_secret")
@require_POST
@member_view(Perm.CONNECTIONS, scope=False)
def user_keys(request: MemberRequest) -> HttpResponse:
    """Connect with the four keys of OAuth 1.0a."""
    _require_own_keys()
    form = UserKeysForm(request.POST)
    if form.is_valid():
        try:
            connection = connect.connect_with_keys(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        except NetworkError as error:
            form.add_error(None, f"X did not take these keys. {error.message}")
        else:
            _tell_connected(request, connection)
            return redirect(LIST)
    with workspace_scope(request.actor.workspace.pk):
        return _keys_page(request, keys_form=form)


def _require_own_keys() -> None:
    if not settings.X_OWN_KEYS:
        raise Http404("This instance does not take keys of your own.")


def _keys_page(
    request: MemberRequest, *, app_form: OwnAppForm | None = None, keys_form: UserKeysForm | None = None
) -> HttpResponse:
    forms = [app_form or OwnAppForm(), keys_form or UserKeysForm()]
    context = _context(
        request,
        app_form=forms[0],
        keys_form=forms[1],
        apps=queries.own_apps(request.actor.workspace),
        redirect_uri=connect.redirect_uri(),
    )
    is_wrong = any(form.is_bound and form.errors for form in forms)
    return render(request, "social/own_keys.html", context, status=422 if is_wrong else 200)
