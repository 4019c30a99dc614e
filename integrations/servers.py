"""Acts on personal MCP servers: making one, its tokens, stopping and ending it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit, plans, rate
from accounts.access import Actor, Perm, system_actor
from accounts.models import User, Workspace, new_secret
from accounts.rate import Limit
from accounts.scope import workspace_scope
from accounts.services import hash_key
from accounts.staff import STAFF, clean_reason
from integrations.mcp.registry import PROMPTS, RESOURCES, TOOLS, PromptDef, ResourceDef, ToolDef
from integrations.models import McpServer, McpToken
from integrations.server_access import is_admin, is_own
from integrations.tool_groups import load_definitions, prompts_for, resources_for
from lib.clock import now
from lib.text import one_line, storable

Status, Suspender, Kind = McpServer.Status, McpServer.Suspender, McpToken.Kind
MAX_ACTIVE = 10
MAX_CALLS_PER_MINUTE = 600
# How long the token before works on after a rotation.
OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=7)
PREFIX_LENGTH = 9
# Nobody undoes what somebody further down this list did.
RANKS = {"": 0, Suspender.PERSON: 0, Suspender.ADMIN: 1, Suspender.STAFF: 2}
Granted = ToolDef | ResourceDef | PromptDef
BY_WHOM = {Suspender.PERSON: "by its person", Suspender.ADMIN: "by an admin", Suspender.STAFF: "by staff"}


class ServerConflict(Exception):
    """The server's state does not allow it."""


def create_server(
    name: str,
    tools: Iterable[str],
    *,
    by: Actor,
    resources: Iterable[str] | None = None,
    prompts: Iterable[str] | None = None,
    calls_per_minute: int = 60,
) -> tuple[McpServer, str]:
    """The server and its token, which exists nowhere else: show it once. Without names, all resources and prompts."""
    with transaction.atomic():
        server = add_server(
            name,
            tools,
            by=by,
            resources=resources_for(by.perms) if resources is None else resources,
            prompts=prompts_for(by.perms) if prompts is None else prompts,
            calls_per_minute=calls_per_minute,
        )
        token, secret = _add_token(server)
        audit.record("mcp.create", server, by=by, name=server.name, tools=server.tools, token=token.prefix)
    return server, secret


def add_server(
    name: str,
    tools: Iterable[str],
    *,
    by: Actor,
    resources: Iterable[str] = (),
    prompts: Iterable[str] = (),
    calls_per_minute: int = 60,
) -> McpServer:
    """A server without a token yet; the caller writes the audit row. Raises PlanLimit, too."""
    user = _person(by)
    server = McpServer(
        workspace=by.workspace,
        user=user,
        name=_clean_name(name),
        tools=_clean_names("tools", TOOLS, tools, by),
        resources=_clean_names("resources", RESOURCES, resources, by),
        prompts=_clean_names("prompts", PROMPTS, prompts, by),
        calls_per_minute=_clean_limit(calls_per_minute),
    )
    with transaction.atomic():
        # Two tabs at once must not both make the tenth.
        Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace.pk)
        rate.require(Limit(("mcp.create", user.pk), 60, timedelta(days=1), burst=30), text="Too many new servers.")
        _refuse_while_stopped(user, by.workspace)
        plans.require_room(by.workspace, "mcp_servers", partial(count_servers, by.workspace))
        if _living(by.workspace).filter(user=user).count() >= MAX_ACTIVE:
            raise ValidationError(f"You have {MAX_ACTIVE} servers, which is the most. Revoke one that nothing uses.")
        server.save(force_insert=True)
    return server


def _refuse_while_stopped(user: User, workspace: Workspace) -> None:
    """Revoked servers count, too: nobody gets around staff by ending what they stopped."""
    stopped = McpServer.objects.filter(workspace=workspace, user=user, suspended_by=Suspender.STAFF).first()
    if stopped is not None:
        raise ValidationError(f"Staff suspended “{stopped}”: you can make no other until they end that. Ask them.")


def count_servers(workspace: Workspace) -> int:
    """Of all its people; revoked ones take no place."""
    return _living(workspace).count()


def update_server(
    server: McpServer,
    *,
    by: Actor,
    name: str | None = None,
    tools: Iterable[str] | None = None,
    resources: Iterable[str] | None = None,
    prompts: Iterable[str] | None = None,
    calls_per_minute: int | None = None,
) -> McpServer:
    """Only by its person: what is left out stays."""
    _require_own(server, by)
    with transaction.atomic():
        server = _locked(server)
        fields: dict[str, object] = {}
        if name is not None:
            fields["name"] = _clean_name(name)
        if calls_per_minute is not None:
            fields["calls_per_minute"] = _clean_limit(calls_per_minute)
        for field, table, names in (
            ("tools", TOOLS, tools),
            ("resources", RESOURCES, resources),
            ("prompts", PROMPTS, prompts),
        ):
            if names is not None:
                fields[field] = _clean_names(field, table, names, by, held=getattr(server, field))
        changed = {key: [getattr(server, key), value] for key, value in fields.items() if getattr(server, key) != value}
        for key, value in fields.items():
            setattr(server, key, value)
        if changed:
            server.save(update_fields=list(changed))
            audit.record("mcp.update", server, by=by, changed=changed)
    return server


# --- tokens -----------------------------------------------------------------------------------------------


def rotate_token(server: McpServer, *, by: Actor, overlap: timedelta = OVERLAP) -> tuple[McpToken, str]:
    """A new token; those before end after the overlap. Only for its person: nobody else may learn one."""
    _require_own(server, by)
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise ValidationError({"overlap_hours": f"From 0 to {MAX_OVERLAP.days * 24} hours."})
    with transaction.atomic():
        server = _locked(server)
        rate.require(Limit(("mcp.rotate", server.pk), 30, timedelta(hours=1), burst=10), text="Too many new tokens.")
        ends = now() + overlap
        older = server.tokens.filter(kind=Kind.PLAIN, revoked_at=None)
        older.filter(Q(expires_at=None) | Q(expires_at__gt=ends)).update(expires_at=ends)
        token, secret = _add_token(server)
        audit.record("mcp.rotate", server, by=by, name=server.name, token=token.prefix, old_until=ends.isoformat())
    return token, secret


def revoke_token(server: McpServer, token_id: UUID, *, by: Actor) -> None:
    """One token, and those that were given out for it."""
    _require_reach(server, by)
    with transaction.atomic():
        token = McpToken.objects.filter(server=server, pk=token_id).first()
        if token is None:
            raise Http404
        if revoke_family(token.server_id, token.family):
            audit.record("mcp.revoke_token", server, by=by, name=server.name, token=token.prefix)


def revoke_family(server_id: UUID, family: UUID) -> int:
    """How many ended."""
    living, total = McpToken.objects.filter(server=server_id, family=family, revoked_at=None), 0
    # Again until none is left: it waits for a refresh under way, and does not see what that one added.
    while ended := living.update(revoked_at=now()):
        total += ended
    return total


def _add_token(server: McpServer) -> tuple[McpToken, str]:
    secret = new_secret("mcp")
    token = McpToken.objects.create(
        workspace=server.workspace,
        server=server,
        kind=Kind.PLAIN,
        token_hash=hash_key(secret),
        prefix=secret[:PREFIX_LENGTH],
    )
    return token, secret


# --- stopping and ending ----------------------------------------------------------------------------------


def suspend_server(server: McpServer, *, by: Actor, reason: str = "") -> McpServer:
    """Its tokens open nothing until it is resumed."""
    _require_reach(server, by)
    who = Suspender.PERSON if is_own(server, by) else Suspender.ADMIN
    return _suspend(server, who, one_line(storable(reason)).strip()[:200], by)


def resume_server(server: McpServer, *, by: Actor) -> McpServer:
    _require_reach(server, by)
    rank = RANKS[Suspender.ADMIN] if is_admin(by) else RANKS[Suspender.PERSON]
    return _resume(server, rank, by)


def revoke_server(server: McpServer, *, by: Actor) -> McpServer:
    """For good: all of its tokens end. Its usage stays."""
    _require_reach(server, by)
    return _revoke(server, by)


def end_servers_of(person: User, by: Actor) -> None:
    """Who leaves a workspace takes no program's access along, not even for when they come back."""
    for server in _living(by.workspace).filter(user=person):
        _revoke(server, by)


def suspend_by_staff(server: McpServer, *, staff: User, reason: str) -> bool:
    """False where staff had done so before. Expects the all-workspaces scope."""
    reason = clean_reason(reason)
    with transaction.atomic():
        if server.status == Status.REVOKED or server.suspended_by == Suspender.STAFF:
            return False
        with workspace_scope(server.workspace_id):
            _suspend(server, Suspender.STAFF, reason, system_actor(server.workspace, STAFF, ()))
        audit.record_staff("mcp.suspend", server, staff=staff.email, name=server.name, reason=reason)
    return True


def resume_by_staff(server: McpServer, *, staff: User, reason: str) -> bool:
    """One that was revoked meanwhile stays so; its person may make others again."""
    reason = clean_reason(reason)
    with transaction.atomic():
        if server.status != Status.SUSPENDED and server.suspended_by != Suspender.STAFF:
            return False
        with workspace_scope(server.workspace_id):
            _resume(server, RANKS[Suspender.STAFF], system_actor(server.workspace, STAFF, ()))
        audit.record_staff("mcp.resume", server, staff=staff.email, name=server.name, reason=reason)
    return True


def _revoke(server: McpServer, by: Actor) -> McpServer:
    with transaction.atomic():
        server = _locked(server, is_alive=False)
        if server.status != Status.REVOKED:
            server.status = Status.REVOKED
            server.save(update_fields=["status"])
            McpToken.objects.filter(server=server, revoked_at=None).update(revoked_at=now())
            audit.record("mcp.revoke", server, by=by, name=server.name)
    return server


def _suspend(server: McpServer, who: str, reason: str, by: Actor) -> McpServer:
    with transaction.atomic():
        server = _locked(server)
        # A person's own suspension does not lift an admin's.
        if server.status == Status.ACTIVE or RANKS[who] > RANKS[server.suspended_by]:
            server.status, server.suspended_by, server.status_text = Status.SUSPENDED, who, reason
            server.save(update_fields=["status", "suspended_by", "status_text"])
            audit.record("mcp.suspend", server, by=by, name=server.name, reason=reason)
    return server


def _resume(server: McpServer, rank: int, by: Actor) -> McpServer:
    with transaction.atomic():
        server = _locked(server, is_alive=rank < RANKS[Suspender.STAFF])
        if rank < RANKS[server.suspended_by]:
            raise PermissionDenied(f"It was suspended {BY_WHOM[Suspender(server.suspended_by)]}: ask them.")
        if server.status == Status.SUSPENDED or server.suspended_by:
            server.status = Status.REVOKED if server.status == Status.REVOKED else Status.ACTIVE
            server.suspended_by = server.status_text = ""
            server.save(update_fields=["status", "suspended_by", "status_text"])
            audit.record("mcp.resume", server, by=by, name=server.name)
    return server


# --- parts ------------------------------------------------------------------------------------------------


def _person(by: Actor) -> User:
    """A key or a program must not give itself more, or longer, than it was given."""
    by.require(Perm.VIEW)
    if by.user is None or by.api_key_id is not None or by.is_agent:
        raise PermissionDenied("Only a person who is logged in can do this.")
    return by.user


def _require_own(server: McpServer, by: Actor) -> None:
    _person(by)
    if not is_own(server, by):
        raise PermissionDenied("Only its own person can do this.")


def _require_reach(server: McpServer, by: Actor) -> None:
    _person(by)
    if not (is_own(server, by) or is_admin(by)):
        raise Http404


def _living(workspace: Workspace) -> QuerySet[McpServer]:
    return McpServer.objects.filter(workspace=workspace).exclude(status=Status.REVOKED)


def _locked(server: McpServer, *, is_alive: bool = True) -> McpServer:
    found = (
        McpServer.objects.select_for_update(no_key=True, of=("self",))
        .select_related("user", "workspace")
        .get(pk=server.pk)
    )
    if is_alive and found.status == Status.REVOKED:
        raise ServerConflict("This server was revoked. Make a new one.")
    return found


def _clean_name(name: str) -> str:
    # It stands in the audit trail as who acted: no mark may turn around or hide what people read there.
    name = "".join(char for char in one_line(storable(name)) if char.isprintable()).strip()
    if not name:
        raise ValidationError({"name": "Give it a name, so that you know later what uses it."})
    if len(name) > 80:
        raise ValidationError({"name": "At most 80 characters."})
    return name


def _clean_limit(calls: int) -> int:
    if not 1 <= calls <= MAX_CALLS_PER_MINUTE:
        raise ValidationError({"calls_per_minute": f"From 1 to {MAX_CALLS_PER_MINUTE}."})
    return calls


def _clean_names(
    field: str, table: Mapping[str, Granted], names: Iterable[str], by: Actor, held: Iterable[str] = ()
) -> list[str]:
    """In the order of the table. What it held before may stay, although its person may not use it just now."""
    load_definitions()
    wanted, kept = set(names), set(held)
    if unknown := wanted - table.keys() - kept:
        raise ValidationError({field: f"There is no {', '.join(sorted(unknown))[:200]}."})
    denied = [name for name in wanted & table.keys() - kept if not by.can(table[name].perm)]
    if denied:
        raise ValidationError({field: f"Your role does not allow {', '.join(sorted(denied))[:200]}."})
    if field == "tools" and not wanted:
        raise ValidationError({"tools": "Choose at least one thing it may do."})
    return [name for name in table if name in wanted]
