"""Permissions as rows: what a person said yes to, the code of it, and the tokens that follow."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.access import Actor, system_actor
from accounts.models import Membership, Role, User, new_secret
from accounts.scope import resolver_scope, workspace_scope
from accounts.services import hash_key
from integrations.models import McpServer, McpToken, OAuthClient, OAuthCode
from integrations.servers import PREFIX_LENGTH, add_server, revoke_family, update_server
from integrations.tool_groups import groups_of, prompts_for, resources_for, tools_in
from lib.clock import now

Kind = McpToken.Kind
CODE_S = 300
ACCESS_S = 3600
REFRESH = timedelta(days=30)
CODE_PREFIX, ACCESS_PREFIX, REFRESH_PREFIX = "mcpc", "mcpa", "mcpr"


def give_consent(client: OAuthClient, groups: list[str], *, by: Actor) -> McpServer:
    """The program's server: the one it has from this person, with what they chose now, or a new one."""
    tools = tools_in(groups, by.perms)
    given: dict[str, Any] = {"tools": tools, "resources": resources_for(by.perms), "prompts": prompts_for(by.perms)}
    with transaction.atomic():
        known = _server_of(client, by)
        if known is not None:
            server = update_server(known, by=by, **given)
        else:
            server = add_server(client.name[:80], by=by, **given)
        OAuthClient.objects.filter(pk=client.pk).update(last_used_at=now())
        audit.record(
            "mcp.consent", server, by=by, name=server.name, client=client.client_id[:200], groups=groups_of(tools)
        )
    return server


def _server_of(client: OAuthClient, by: Actor) -> McpServer | None:
    """Of a program that comes again. One that is suspended stays so: it gets no second one beside it."""
    own = McpServer.objects.filter(workspace=by.workspace, user=by.user).exclude(status=McpServer.Status.REVOKED)
    found = own.filter(tokens__client=client).first()
    if found is None:
        codes = OAuthCode.objects.filter(workspace=by.workspace, client=client, server__in=own)
        found = own.filter(pk__in=codes.values("server")).first()
    if found is not None and found.status == McpServer.Status.SUSPENDED:
        raise PermissionDenied(f"“{found}” is suspended. Resume it under Settings, MCP servers, first.")
    return found


def add_code(server: McpServer, client: OAuthClient, *, code: str, redirect_uri: str, challenge: str) -> OAuthCode:
    with transaction.atomic():
        OAuthCode.objects.filter(workspace=server.workspace_id, expires_at__lt=now() - timedelta(days=1)).delete()
        return OAuthCode.objects.create(
            workspace_id=server.workspace_id,
            code_hash=hash_key(code),
            server=server,
            client=client,
            redirect_uri=redirect_uri,
            challenge=challenge,
            resource=settings.MCP_URL,
            expires_at=now() + timedelta(seconds=CODE_S),
        )


def new_code() -> str:
    return new_secret(CODE_PREFIX)


# --- whose it is ------------------------------------------------------------------------------------------


def workspace_of_code(code: str) -> UUID | None:
    digest = hash_key(code)
    with resolver_scope(digest):
        return OAuthCode.objects.filter(code_hash=digest).values_list("workspace", flat=True).first()


def workspace_of_token(secret: str) -> UUID | None:
    digest = hash_key(secret)
    with resolver_scope(digest):
        return McpToken.objects.filter(token_hash=digest).values_list("workspace", flat=True).first()


def is_usable(server: McpServer) -> bool:
    """Whether its person may still let programs in."""
    if server.status != McpServer.Status.ACTIVE or not server.user.is_active or server.workspace.is_suspended:
        return False
    members = Membership.objects.filter(user=server.user_id, workspace=server.workspace_id)
    return members.exclude(role=Role.GUEST).exists()


# --- inside the workspace, in one transaction -------------------------------------------------------------


def lock_code(code: str) -> OAuthCode | None:
    """Two that show the same code at once: one waits here, and finds it used."""
    rows = OAuthCode.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "server", "server__user", "server__workspace", "client"
    )
    return rows.filter(code_hash=hash_key(code)).first()


def lock_refresh(secret: str) -> McpToken | None:
    rows = McpToken.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "server", "server__user", "server__workspace", "client"
    )
    return rows.filter(token_hash=hash_key(secret), kind=Kind.REFRESH).first()


def mark_used(row: OAuthCode | McpToken) -> None:
    row.used_at = now()
    row.save(update_fields=["used_at"])


def end_family(server: McpServer, family: UUID, why: str) -> None:
    """A code or token was shown a second time, or its program gave it back: all that follow from it end."""
    if revoke_family(server.pk, family):
        by = system_actor(server.workspace, f"MCP {server.name}", ())
        audit.record("mcp.end_access", server, by=by, name=server.name, reason=why)


def family_of(server: McpServer, family: UUID) -> QuerySet[McpToken]:
    return McpToken.objects.filter(server=server, family=family)


def add_tokens(server: McpServer, client: OAuthClient, family: UUID, access: str, refresh: str) -> None:
    """Those of the family that have run out are deleted: a refresh token is refused then, used or not."""
    at = now()
    family_of(server, family).filter(expires_at__lt=at).delete()
    for kind, secret, ends in (
        (Kind.ACCESS, access, at + timedelta(seconds=ACCESS_S)),
        (Kind.REFRESH, refresh, at + REFRESH),
    ):
        McpToken.objects.create(
            workspace_id=server.workspace_id,
            server=server,
            kind=kind,
            token_hash=hash_key(secret),
            prefix=secret[:PREFIX_LENGTH],
            client=client,
            family=family,
            expires_at=ends,
        )
    OAuthClient.objects.filter(pk=client.pk).update(last_used_at=at)


def revoke_secret(secret: str, client_id: str) -> None:
    """What a program gives back. A refresh token takes all of its family along; others' and unknown ones are left."""
    workspace_id = workspace_of_token(secret)
    if workspace_id is None:
        return
    with workspace_scope(workspace_id):
        token = McpToken.objects.select_related("server", "server__workspace", "client").get(
            token_hash=hash_key(secret)
        )
        if token.client is None or token.client.client_id != client_id:
            return
        if token.kind == Kind.REFRESH:
            end_family(token.server, token.family, "given back")
        else:
            McpToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())


def members_who_may(user: User) -> QuerySet[Membership]:
    """The workspaces that somebody may let a program into."""
    rows = Membership.objects.select_related("workspace", "user").filter(user=user, workspace__is_suspended=False)
    return rows.exclude(role=Role.GUEST).order_by("workspace__name")
