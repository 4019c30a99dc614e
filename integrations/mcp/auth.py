"""Who calls: a token opens one server, and its person's rights, less what no program gets, are what a call may do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q
from mcp.server.auth.provider import AccessToken
from pydantic import ConfigDict

from accounts.access import ROLE_PERMS, Actor, Perm
from accounts.models import Membership
from accounts.scope import resolver_scope, workspace_scope
from accounts.services import hash_key
from integrations.mcp.failures import Failures
from integrations.mcp.threads import look
from integrations.models import McpServer, McpToken
from lib.clock import now

# A program may write, submit and schedule what people approved. It never approves, and never changes who may what.
AGENT_MAY = frozenset({Perm.VIEW, Perm.CONTENT_EDIT, Perm.PUBLISH, Perm.AUDIT})
Status, Suspender = McpServer.Status, McpServer.Suspender
OPENING = (McpToken.Kind.PLAIN, McpToken.Kind.ACCESS)
# "Last used" is for people: not every call has to write.
USE_NOTED_EVERY = timedelta(minutes=1)


WHOM_TO_ASK = {
    Suspender.PERSON: "its person. Resume it under Settings, MCP servers.",
    Suspender.ADMIN: "an admin of the workspace. Ask them to resume it.",
    Suspender.STAFF: "staff. Contact support.",
}


class ServerSuspended(Exception):
    """A good token of a server that was stopped. Says so, and whom to ask: only who holds the token hears it."""

    def __init__(self, server: McpServer) -> None:
        who = WHOM_TO_ASK[Suspender(server.suspended_by or Suspender.PERSON)]
        super().__init__(f"“{server.name}” is suspended by {who}")


@dataclass(frozen=True)
class Caller:
    """A server and whom it acts for, as the rows say now."""

    server: McpServer
    actor: Actor


class ServerToken(AccessToken):
    """What the SDK carries through a request."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    caller: Caller


class TokenReader:
    """The SDK's TokenVerifier over the rows."""

    def __init__(self) -> None:
        self.failures = Failures()

    async def verify_token(self, token: str) -> ServerToken | None:
        """Raises TooManyFailures, or ServerSuspended, which counts as a failure, too."""
        self.failures.check(token)
        try:
            found = await look(read_token, token)
        except ServerSuspended:
            await self.failures.note_bad(token)
            raise
        if found is None:
            await self.failures.note_bad(token)
        else:
            self.failures.note_good(token)
        return found


def read_token(secret: str) -> ServerToken | None:
    """None for everybody else: unknown, expired, revoked, of a server that ended, of who has left.

    Raises ServerSuspended.
    """
    token = _find(secret)
    caller = _caller(token) if token else None
    if token is None or caller is None:
        return None
    return ServerToken(
        token=secret,
        client_id=str(token.client_id or token.server_id),
        scopes=[],
        # Tokens open this endpoint and nothing else.
        resource=settings.MCP_URL,
        subject=str(caller.server.user_id),
        caller=caller,
    )


def _find(secret: str) -> McpToken | None:
    usable = Q(revoked_at=None, kind__in=OPENING) & (Q(expires_at=None) | Q(expires_at__gt=now()))
    digest = hash_key(secret)
    with resolver_scope(digest):
        return McpToken.objects.filter(usable, token_hash=digest).first()


def _caller(token: McpToken) -> Caller | None:
    with workspace_scope(token.workspace_id):
        member = Membership.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
        servers = McpServer.objects.select_related("user", "workspace").annotate(role=member.values("role"))
        server = servers.filter(pk=token.server_id).exclude(status=Status.REVOKED).first()
        if server is None or not server.user.is_active or server.workspace.is_suspended or server.role is None:
            return None
        if server.status == Status.SUSPENDED:
            raise ServerSuspended(server)
        _note_use(token, server)
    return Caller(server, actor_of(server, server.role))


def actor_of(server: McpServer, role: str) -> Actor:
    return Actor(
        workspace=server.workspace,
        perms=ROLE_PERMS[role] & AGENT_MAY,
        label=f"MCP {server.name}",
        role=role,
        user=server.user,
        is_agent=True,
    )


def _note_use(token: McpToken, server: McpServer) -> None:
    at = now()
    rows: tuple[tuple[Any, Any], ...] = ((McpToken, token), (McpServer, server))
    for model, row in rows:
        if row.last_used_at is None or row.last_used_at < at - USE_NOTED_EVERY:
            model.objects.filter(pk=row.pk).update(last_used_at=at)
