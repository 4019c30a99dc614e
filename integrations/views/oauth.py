"""The authorisation server: the page where a person says yes, and what programs call."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2 import AccessDeniedError, FatalClientError, OAuth2Error
from rest_framework.throttling import BaseThrottle

from accounts import rate
from accounts.access import actor_for
from accounts.models import Membership, User
from accounts.rate import Limit, RateLimited
from accounts.scope import workspace_scope
from accounts.web import UserRequest, add_errors
from integrations.forms import ConsentForm
from integrations.oauth import grants
from integrations.oauth.clients import BadRedirects, host_of_client, register_client
from integrations.oauth.metadata import metadata
from integrations.oauth.redirects import host_of, origin_of
from integrations.oauth.server import Endpoint

View = Callable[[HttpRequest], HttpResponse]
# All else in the address is left out.
ASKED = {"client_id", "redirect_uri", "response_type", "scope", "state", "resource"}
ASKED |= {"code_challenge", "code_challenge_method"}
BODY_BYTES = 16 * 1024


# --- a person says yes ------------------------------------------------------------------------------------


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def authorize(plain: HttpRequest) -> HttpResponse:
    request = cast(UserRequest, plain)
    try:
        rate.require(question_limit(request.user), text="Too many questions.")
    except RateLimited as limited:
        return _broken(request, " ".join(limited.messages), 429)
    endpoint, uri = Endpoint(), _asked_uri(request.GET)
    try:
        scopes, asked = endpoint.validate_authorization_request(uri)
    except FatalClientError as error:
        text = endpoint.validator.why or error.description or "The program sent you here with an unusable address."
        return _broken(request, text, 400)
    except OAuth2Error as error:
        return _mistaken(request, endpoint, error)
    if request.method == "POST" and "allow" not in request.POST:
        denied = AccessDeniedError(request=asked["request"])
        return _send_back(denied.in_uri(asked["redirect_uri"]))
    return _consent(request, endpoint, uri, scopes, asked["redirect_uri"])


def question_limit(user: User) -> Limit:
    """A program's id may be an address, which is then called: nobody calls others through us without an end."""
    return Limit(("oauth.authorize", user.pk), 60, timedelta(minutes=1), burst=60)


def _broken(request: HttpRequest, text: str, status: int) -> HttpResponse:
    return render(request, "integrations/oauth_broken.html", {"text": text}, status=status)


def _mistaken(request: HttpRequest, endpoint: Endpoint, error: OAuth2Error) -> HttpResponse:
    """Anybody registers a program: nobody is sent to its address before they chose to go there (RFC 9700, 4.11.2)."""
    if "refuse" in request.POST:
        return _send_back(error.in_uri(error.redirect_uri))
    text = error.description or f"It asked for something that we do not give ({error.error})."
    context = {"text": text, "client": endpoint.validator.client, "redirect_host": host_of(error.redirect_uri)}
    response = render(request, "integrations/oauth_broken.html", context, status=400)
    return _leading_to(response, error.redirect_uri)


def _leading_to(response: HttpResponse, redirect_uri: str) -> HttpResponse:
    """What follows the form is a redirect to the program."""
    response.form_targets = [origin_of(redirect_uri)]  # type: ignore[attr-defined]  # the middleware reads it
    return response


def _consent(request: UserRequest, endpoint: Endpoint, uri: str, scopes: list[str], redirect_uri: str) -> HttpResponse:
    members = {str(member.workspace_id): member for member in grants.members_who_may(request.user)}
    form = ConsentForm(
        request.POST or None,
        workspaces=[(pk, member.workspace.name) for pk, member in members.items()],
        initial={"workspace": str(request.user.last_workspace_id), "groups": scopes},
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _allow(endpoint, uri, members[form.cleaned_data["workspace"]], form.cleaned_data["groups"])
        except ValidationError as error:
            add_errors(form, error)
        except PermissionDenied as error:
            form.add_error(None, str(error))
    client = endpoint.validator.client
    assert client is not None
    context = {
        "form": form,
        "client": client,
        "client_host": host_of_client(client),
        "redirect_host": host_of(redirect_uri),
        "members": members,
    }
    response = render(request, "integrations/oauth_consent.html", context, status=422 if form.errors else 200)
    return _leading_to(response, redirect_uri)


def _allow(endpoint: Endpoint, uri: str, member: Membership, groups: list[str]) -> HttpResponse:
    client = endpoint.validator.client
    assert client is not None
    with workspace_scope(member.workspace_id):
        server = grants.give_consent(client, groups, by=actor_for(member))
        headers, _body, _status = endpoint.create_authorization_response(
            uri, scopes=groups, credentials={"mcp_server": server, "user": member.user}
        )
    return _send_back(headers["Location"])


def _asked_uri(query: QueryDict) -> str:
    asked = [(name, value) for name, values in query.lists() if name in ASKED for value in values]
    return f"{settings.BASE_URL}/oauth/authorize?{urlencode(asked)}"


def _send_back(location: str) -> HttpResponse:
    """Says who answers, so that a program with several servers cannot be confused (RFC 9207)."""
    return HttpResponseRedirect(add_params_to_uri(location, [("iss", settings.BASE_URL)]))


# --- what programs call -----------------------------------------------------------------------------------


def for_programs(*methods: str) -> Callable[[View], View]:
    """No cookies, so no CSRF; any page may call, as programs in browsers do; limited by address."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def called(request: HttpRequest) -> HttpResponse:
            if request.method == "OPTIONS":
                return _open_to_all(HttpResponse(status=204), methods)
            if request.method not in methods:
                return _open_to_all(_error("invalid_request", f"Use {methods[0]}.", 405), methods)
            try:
                rate.require(call_limit(request), text="Too many requests.")
                response = view(request)
            except RateLimited as limited:
                response = _error("temporarily_unavailable", " ".join(limited.messages), 429)
                response.headers["Retry-After"] = str(max(1, round(limited.retry_after_s)))
            return _open_to_all(response, methods)

        return called

    return decorate


def call_limit(request: HttpRequest) -> Limit:
    return Limit(("oauth", _address(request)), 600, timedelta(minutes=1), burst=200)


@for_programs("POST")
def register(request: HttpRequest) -> HttpResponse:
    try:
        data = json.loads(request.body) if len(request.body) <= BODY_BYTES else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return _error("invalid_client_metadata", "Send one JSON object.")
    try:
        client = register_client(data, address=_address(request))
    except RateLimited:
        raise
    except BadRedirects as error:
        return _error("invalid_redirect_uri", " ".join(error.messages))
    except ValidationError as error:
        return _error("invalid_client_metadata", " ".join(error.messages))
    told = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    return _uncached(JsonResponse(told | ({"client_uri": client.uri} if client.uri else {}), status=201))


@for_programs("POST")
def token(request: HttpRequest) -> HttpResponse:
    if len(request.body) > BODY_BYTES or request.GET or not request.POST.get("grant_type"):
        return _error("invalid_request", "Send grant_type and its parameters as a form.")
    with _scope_of(request.POST):
        answer = Endpoint().create_token_response(_uri(request), "POST", _form(request), {})
    return _answer(*answer)


@for_programs("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    if len(request.body) > BODY_BYTES or request.GET:
        return _error("invalid_request", "Send the token as a form.")
    return _answer(*Endpoint().create_revocation_response(_uri(request), "POST", _form(request), {}))


@require_GET
def server_metadata(request: HttpRequest) -> HttpResponse:
    response = JsonResponse(metadata())
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _scope_of(data: QueryDict) -> AbstractContextManager[Any]:
    """The workspace of the code or token that is shown: one transaction, in which it is locked, used and answered."""
    if data["grant_type"] == "refresh_token":
        workspace_id = grants.workspace_of_token(data.get("refresh_token", ""))
    else:
        workspace_id = grants.workspace_of_code(data.get("code", ""))
    return workspace_scope(workspace_id) if workspace_id else nullcontext()


def _form(request: HttpRequest) -> str:
    return urlencode([(name, value) for name, values in request.POST.lists() for value in values])


def _uri(request: HttpRequest) -> str:
    return settings.BASE_URL + request.get_full_path()


def _answer(headers: dict[str, str], body: str | None, status: int) -> HttpResponse:
    response = HttpResponse(body or "", status=status, content_type="application/json")
    if "WWW-Authenticate" in headers:
        response.headers["WWW-Authenticate"] = headers["WWW-Authenticate"]
    return _uncached(response)


def _error(code: str, description: str, status: int = 400) -> HttpResponse:
    return _uncached(JsonResponse({"error": code, "error_description": description}, status=status))


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def _open_to_all(response: HttpResponse, methods: tuple[str, ...]) -> HttpResponse:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
    response.headers["Access-Control-Allow-Headers"] = "Content-Type, MCP-Protocol-Version"
    return response


def _address(request: HttpRequest) -> str:
    return str(BaseThrottle().get_ident(request))  # type: ignore[arg-type]  # reads META alone
