"""Acts of admins on other people's MCP servers: attach, look, allow."""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict
from urllib.parse import urlsplit

import idna
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts import audit, plans, rate
from accounts.access import Actor, Perm, system_actor
from accounts.answers import check_json
from accounts.models import User, Workspace
from accounts.rate import Limit
from accounts.scope import workspace_scope
from accounts.staff import STAFF, clean_reason
from agents.safety.clues import find_risks
from agents.safety.normalise import hear
from integrations.models import OutsideServer
from integrations.outside import wire
from integrations.outside.wire import Described, OutsideError
from lib.clock import now
from lib.public_http import FetchError, check_url, may_carry_secrets
from lib.text import one_line, storable, without_query

Pauser = OutsideServer.Pauser
STAFF_PAUSED = "Staff paused this server, and only they can resume it. Contact support."
MAX_SERVERS = 10
MAX_ALLOWED = 30
MAX_DESCRIPTION, MAX_SCHEMA = 2_000, 16_000
MAX_SECRET = 2_000
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Tool(TypedDict):
    """As it stands in the row, and in its digest."""

    name: str
    description: str
    schema: dict[str, Any]
    sha256: str


def attach_server(name: str, url: str, secret: str = "", *, by: Actor) -> OutsideServer:
    """Nothing is called yet: that is `look_at`. `secret` is the whole Authorization header. Raises PlanLimit, too."""
    by.require(Perm.TOOLS)
    row = OutsideServer(
        workspace=by.workspace,
        name=_clean_name(name),
        url=_clean_url(url),
        secret=_clean_secret(secret),
        created_by=by.user,
    )
    _require_secrecy(row)
    with transaction.atomic():
        # Two at once must not both make the last one.
        Workspace.objects.select_for_update(no_key=True).get(pk=by.workspace.pk)
        plans.require_room(by.workspace, "outside_servers", partial(count_attached, by.workspace))
        if count_attached(by.workspace) >= MAX_SERVERS:
            raise ValidationError(f"{MAX_SERVERS} servers are the most. Detach one first.")
        _require_not_stopped(row)
        _save(row)
        audit.record("outside.attach", row, by=by, name=row.name, url=without_query(row.url))
    return row


def count_attached(workspace: Workspace) -> int:
    return OutsideServer.objects.filter(workspace=workspace).count()


def update_outside(
    outside: OutsideServer, *, by: Actor, name: str | None = None, url: str | None = None, secret: str | None = None
) -> OutsideServer:
    """Another address may be another server: nothing of it is allowed until somebody has looked."""
    by.require(Perm.TOOLS)
    with transaction.atomic():
        row = OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk)
        before = (row.name, row.url)
        row.name = row.name if name is None else _clean_name(name)
        row.url = row.url if url is None else _clean_url(url)
        row.secret = row.secret if secret is None else _clean_secret(secret)
        if row.url != before[1]:
            _require_not_stopped(row)
            row.tools, row.allowed, row.read_only, row.checked_at = [], {}, [], None
            # The secret was given for the other address.
            row.secret = _clean_secret(secret or "")
        _require_secrecy(row)
        _save(row)
        urls = [without_query(before[1]), without_query(row.url)]
        changed = {"name": [before[0], row.name], "url": urls, "secret": secret is not None}
        audit.record("outside.update", row, by=by, **changed)
    return row


def look_at(outside: OutsideServer, *, by: Actor) -> OutsideServer:
    """Reads its tools. Call it outside of any transaction: it talks to a stranger. Raises OutsideError, too."""
    by.require(Perm.TOOLS)
    limit = Limit(("outside.look", by.workspace.pk), 60, timedelta(hours=1), burst=20)
    rate.require(limit, text="Too many looks in a short time.")
    try:
        described, problem = wire.list_tools(outside.url, outside.secret), ""
    except OutsideError as error:
        described, problem = [], error.text
    with workspace_scope(by.workspace.pk):
        row = OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk)
        row.problem_text, row.checked_at = problem[:300], now()
        fields = ["problem_text", "checked_at"]
        if not problem:
            row.tools = _tools(described)
            fields.append("tools")
        row.save(update_fields=fields)
        audit.record("outside.look", row, by=by, name=row.name, tools=len(row.tools), problem=problem)
    return row


def allow_tools(
    outside: OutsideServer, names: Iterable[str], *, by: Actor, read_only: Iterable[str] = (), seen: str = ""
) -> OutsideServer:
    """Exactly these, as they were described at the last look. `seen`: what the admin was shown (see `digest_of`)."""
    by.require(Perm.TOOLS)
    wanted, reading = set(names), set(read_only)
    with transaction.atomic():
        row = OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk)
        if seen and seen != digest_of(row):
            raise ValidationError("Its tools were looked at again meanwhile. Read them, then choose.")
        known = {tool["name"]: tool["sha256"] for tool in row.tools}
        if unknown := (wanted | reading) - known.keys():
            raise ValidationError({"tools": f"It has no tool called {', '.join(sorted(unknown))[:200]}."})
        if len(wanted) > MAX_ALLOWED:
            raise ValidationError({"tools": f"{MAX_ALLOWED} tools are the most: models get lost among more."})
        row.allowed = {name: known[name] for name in sorted(wanted)}
        row.read_only = sorted(wanted & reading)
        row.save(update_fields=["allowed", "read_only"])
        audit.record("outside.allow", row, by=by, name=row.name, tools=row.allowed, read_only=row.read_only)
    return row


def set_active(outside: OutsideServer, is_active: bool, *, by: Actor) -> OutsideServer:
    """Raises PermissionDenied where staff paused it: they alone resume it."""
    by.require(Perm.TOOLS)
    with transaction.atomic():
        row = OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk)
        if row.is_active != is_active:
            _keep_pause_of_staff(row)
            _set_pause(row, *(("", "") if is_active else (Pauser.ADMIN, f"Paused by {by.label}.")))
            audit.record("outside.resume" if is_active else "outside.pause", row, by=by, name=row.name)
    return row


def pause_by_staff(outside: OutsideServer, *, staff: User, reason: str) -> bool:
    """False where staff had done so before. Expects the all-workspaces scope."""
    return _act_as_staff(outside, staff, clean_reason(reason), Pauser.STAFF)


def resume_by_staff(outside: OutsideServer, *, staff: User, reason: str) -> bool:
    """Whoever paused it. False where nobody had."""
    return _act_as_staff(outside, staff, clean_reason(reason), "")


def _act_as_staff(outside: OutsideServer, staff: User, reason: str, pauser: str) -> bool:
    action = "outside.pause" if pauser else "outside.resume"
    with transaction.atomic():
        row = (
            OutsideServer.objects.select_for_update(no_key=True, of=("self",))
            .select_related("workspace")
            .get(pk=outside.pk)
        )
        if row.paused_by == pauser:
            return False
        with workspace_scope(row.workspace_id):
            _set_pause(row, pauser, reason if pauser else "")
            audit.record(action, row, by=system_actor(row.workspace, STAFF, ()), name=row.name, reason=reason)
        audit.record_staff(action, row, staff=staff.email, name=row.name, reason=reason)
    return True


def _set_pause(row: OutsideServer, pauser: str, text: str) -> None:
    row.is_active, row.paused_by, row.pause_text = not pauser, pauser, text[:300]
    row.save(update_fields=["is_active", "paused_by", "pause_text"])


def _keep_pause_of_staff(row: OutsideServer) -> None:
    if row.paused_by == Pauser.STAFF:
        raise PermissionDenied(STAFF_PAUSED)


def detach_server(outside: OutsideServer, *, by: Actor) -> None:
    """Raises PermissionDenied where staff paused it: attached anew, it would be in use again."""
    by.require(Perm.TOOLS)
    with transaction.atomic():
        _keep_pause_of_staff(OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk))
        audit.record("outside.detach", outside, by=by, name=outside.name, url=without_query(outside.url))
        OutsideServer.objects.filter(pk=outside.pk).delete()


def _require_not_stopped(row: OutsideServer) -> None:
    """Neither away from an address that staff paused, nor to it under another name."""
    stopped = OutsideServer.objects.filter(workspace=row.workspace_id, paused_by=Pauser.STAFF)
    if any(one.pk == row.pk or _place_of(one.url) == _place_of(row.url) for one in stopped):
        raise ValidationError({"url": STAFF_PAUSED})


def _place_of(url: str) -> str:
    """Its host, whatever the port, and however it is spelled."""
    host = urlsplit(url).hostname or ""
    return (host if host.isascii() else idna.encode(host, uts46=True).decode()).rstrip(".")


# --- what is offered --------------------------------------------------------------------------------------


def offered_tools(outside: OutsideServer) -> list[Tool]:
    """Those that are allowed and still are what was allowed."""
    return [tool for tool in outside.tools if outside.is_active and outside.allowed.get(tool["name"]) == tool["sha256"]]


def withhold_tool(outside: OutsideServer, name: str, *, by: Actor) -> None:
    """It has changed: nobody is offered it until an admin has looked and allowed it anew."""
    with transaction.atomic():
        row = OutsideServer.objects.select_for_update(no_key=True).get(pk=outside.pk)
        if row.allowed.pop(name, None) is None:
            return
        row.read_only = [one for one in row.read_only if one != name]
        row.problem_text = f"“{name}” has changed since it was allowed. Look at it again."[:300]
        row.save(update_fields=["allowed", "read_only", "problem_text"])
        audit.record("outside.withhold", row, by=by, name=row.name, tool=name)


def is_described_as(tool: Tool, described: Described) -> bool:
    return _digest(described) == tool["sha256"]


def warnings_of(tool: Tool) -> list[str]:
    """What a person should know before they allow it."""
    heard = hear(f"{tool['description']}\n{_strings(tool['schema'])}")
    found = []
    if find_risks(heard):
        found.append("Its description gives orders. The assistant will not see it.")
    if heard.hidden:
        found.append("Its description holds text that nobody sees.")
    return found


def digest_of(outside: OutsideServer) -> str:
    return hashlib.sha256("".join(tool["sha256"] for tool in outside.tools).encode()).hexdigest()


def _tools(described: Iterable[Described]) -> list[Tool]:
    """What cannot be kept or named is left out."""
    found = {one.name: tool for one in described if (tool := _tool(one)) is not None}
    return list(found.values())


def _tool(described: Described) -> Tool | None:
    schema = dict(described.schema)
    try:
        check_json(schema)
        size = len(json.dumps(schema))
    except (ValidationError, ValueError, RecursionError):
        return None
    if not NAME.fullmatch(described.name) or size > MAX_SCHEMA:
        return None
    return Tool(
        name=described.name,
        description=storable(described.description)[:MAX_DESCRIPTION],
        schema=schema,
        sha256=_digest(described),
    )


def _digest(described: Described) -> str:
    """Of all that it says, also of what was cut."""
    whole = json.dumps([described.name, described.description, described.schema], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode("utf-8", "backslashreplace")).hexdigest()


def _strings(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(_strings(one) for pair in value.items() for one in pair)
    return "\n".join(map(_strings, value)) if isinstance(value, list) else ""


def _save(row: OutsideServer) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ValidationError({"name": "There is a server of this name already."}) from error


def _clean_name(name: str) -> str:
    name = one_line(storable(name)).strip()
    if not name or len(name) > 40:
        raise ValidationError({"name": "Give it a name of at most 40 characters."})
    return name


def _clean_url(url: str) -> str:
    url = url.strip()
    try:
        check_url(url)
    except FetchError as error:
        raise ValidationError({"url": error.message}) from error
    if len(url) > 500 or not url.isprintable():
        raise ValidationError({"url": "This address is too long."})
    return url


def _require_secrecy(row: OutsideServer) -> None:
    if shows_secret(row):
        raise ValidationError({"url": "A secret is only sent over https. Use the https:// address, or no secret."})


def shows_secret(row: OutsideServer) -> bool:
    """Others on the way can read its secret: attached before that was refused."""
    return bool(row.secret) and not may_carry_secrets(row.url)


def _clean_secret(secret: str) -> str:
    """A header's value: a line break would begin another header."""
    secret = secret.strip()
    if len(secret) > MAX_SECRET or not secret.isascii() or not secret.isprintable():
        raise ValidationError({"secret": "One line of plain characters, at most 2,000."})
    return secret
