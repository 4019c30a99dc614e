"""The rules of the protocol, by oauthlib; who is known and what was given is asked of the rows."""

import re
from typing import Any

from django.conf import settings
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    InvalidRequestError,
    OAuth2Error,
    RefreshTokenGrant,
    RequestValidator,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from accounts.models import new_secret
from integrations.models import McpServer, OAuthClient
from integrations.oauth import grants
from integrations.oauth.clients import UnknownClient, find_client, known_client
from integrations.oauth.redirects import is_registered
from integrations.tool_groups import GROUPS, USUAL, groups_of
from lib.clock import now

# oauthlib's requests have no types of their own.
Request = Any
# A SHA-256 in base64url, as S256 writes it.
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class InvalidTarget(OAuth2Error):
    """RFC 8707: for something else than our endpoint."""

    error = "invalid_target"
    description = "This server gives access to its own MCP endpoint only."


class Validator(RequestValidator):
    """Of one request: it remembers the row that was locked."""

    def __init__(self) -> None:
        super().__init__()
        self.client: OAuthClient | None = None
        self.given: Any = None
        # Why the client is not known, for its person.
        self.why = ""

    # --- who asks -----------------------------------------------------------------------------------------

    def client_authentication_required(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        return False

    def authenticate_client_id(self, client_id: str | None, request: Request, *args: Any, **kwargs: Any) -> bool:
        request.client = self.client = known_client(client_id or "")
        return self.client is not None

    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        try:
            request.client = self.client = find_client(client_id)
        except UnknownClient as error:
            self.why = str(error)
            return False
        return True

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return self.client is not None and is_registered(redirect_uri, self.client.redirect_uris)

    def get_default_redirect_uri(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> str | None:
        """OAuth 2.1 wants it said; a program that shows its code may leave it out."""
        return self.given.redirect_uri if self.given is not None else None

    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return response_type == "code"

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    # --- for what -----------------------------------------------------------------------------------------

    def get_default_scopes(self, client_id: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return list(USUAL)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Words of other servers are left out, as RFC 6749 3.3 allows: the person decides anyway."""
        request.scopes = [scope for scope in scopes if scope in GROUPS] or list(USUAL)
        return True

    # --- the code -----------------------------------------------------------------------------------------

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        grants.add_code(
            request.mcp_server,
            self.client,  # type: ignore[arg-type]  # found before
            code=code["code"],
            redirect_uri=request.redirect_uri,
            challenge=request.code_challenge,
        )

    def validate_code(
        self, client_id: str, code: str, client: OAuthClient, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        row = grants.lock_code(code)
        if row is None or row.client_id != client.pk:
            return False
        if row.used_at is not None:
            grants.end_family(row.server, row.family, "its code was shown twice")
            return False
        # Shown once, whatever comes of it: who does not know the verifier gets no second try.
        grants.mark_used(row)
        if row.expires_at <= now() or not grants.is_usable(row.server):
            return False
        self.given, request.scopes, request.user = row, groups_of(row.server.tools), row.server.user
        return True

    def get_code_challenge(self, code: str, request: Request) -> str:
        return self.given.challenge

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        return redirect_uri == self.given.redirect_uri

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Was marked as used before anything else."""

    # --- tokens -------------------------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: OAuthClient, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        row = grants.lock_refresh(refresh_token)
        if row is None or row.client_id != client.pk or row.revoked_at is not None:
            return False
        if row.expires_at is None or row.expires_at <= now():
            return False
        if row.used_at is not None:
            grants.end_family(row.server, row.family, "a refresh token was shown twice")
            return False
        if not grants.is_usable(row.server):
            return False
        grants.mark_used(row)
        self.given, request.user = row, row.server.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> list[str]:
        return groups_of(self.given.server.tools)

    def is_within_original_scope(
        self, request_scopes: list[str], refresh_token: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """What a program may do stands at its server; a word more or less here changes nothing."""
        request.scopes = groups_of(self.given.server.tools)
        return True

    def rotate_refresh_token(self, request: Request) -> bool:
        return True

    def save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        server: McpServer = self.given.server
        grants.add_tokens(server, self.given.client, self.given.family, token["access_token"], token["refresh_token"])

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        grants.revoke_secret(token, request.client.client_id)

    def is_origin_allowed(self, client_id: str, origin: str, request: Request, *args: Any, **kwargs: Any) -> bool:
        # The view says so for all.
        return False


class CodeGrant(AuthorizationCodeGrant):
    # S256 alone: OAuth 2.1 knows no plain one.
    _code_challenge_methods = {"S256": code_challenge_method_s256}

    def create_authorization_code(self, request: Request) -> dict[str, str]:
        state = {"state": request.state} if request.state else {}
        return {"code": grants.new_code(), **state}


class Endpoint(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):
    """All endpoints, for one request."""

    def __init__(self) -> None:
        self.validator = validator = Validator()
        code = CodeGrant(
            validator, pre_auth=[_check_resource], post_auth=[_check_challenge], post_token=[_check_resource]
        )
        refresh = RefreshTokenGrant(validator, post_token=[_check_resource])
        bearer = BearerToken(
            validator,
            token_generator=lambda _request: new_secret(grants.ACCESS_PREFIX),
            expires_in=grants.ACCESS_S,
            refresh_token_generator=lambda _request: new_secret(grants.REFRESH_PREFIX),
        )
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        # An unknown grant goes to the default one, which then says that it is none of its own.
        TokenEndpoint.__init__(
            self, "authorization_code", bearer, {"authorization_code": code, "refresh_token": refresh}
        )
        RevocationEndpoint.__init__(self, validator)


def _check_challenge(request: Request) -> dict[str, Any]:
    """What no verifier can ever match is refused before a person is asked."""
    if not CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError("code_challenge: 43 characters of base64url.", request=request)
    return {}


def _check_resource(request: Request) -> dict[str, Any]:
    """A program that names no resource means the only one there is."""
    resource = getattr(request, "resource", None)
    if resource and str(resource).rstrip("/") != settings.MCP_URL.rstrip("/"):
        raise InvalidTarget(request=request)
    return {}
