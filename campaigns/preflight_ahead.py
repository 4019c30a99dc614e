"""The look an hour ahead: links, log-ins and everything else, while a person can still do something about it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.access import Perm
from accounts.models import Workspace
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import notify
from campaigns.attention import BEFORE_SENDING
from campaigns.link_checks import check_links, links_of
from campaigns.models import Delivery
from campaigns.preflight import RED, Finding, Flight, flights_of
from campaigns.queries import with_content
from campaigns.rendering import render
from lib.clock import now
from social.credentials import credential_version, refresh_credential
from social.models import Connection, Credential
from social.networks.port import NetworkError

log = structlog.get_logger(__name__)
# Soon enough to be true when it goes out, early enough to mend it.
AHEAD = timedelta(minutes=75)
# A change for the worse is told; amber is only shown, but for a link that leads nowhere.
RANK = {"": 0, "amber": 1, "red": 2}
TOLD = {"link"}


def workspaces_to_check() -> list[UUID]:
    """Those with something due soon, or with an earlier warning that may be over."""
    with all_workspaces_scope("find posts that are due soon"):
        found = _to_check(Delivery.objects.filter(workspace__is_suspended=False))
        return list(found.order_by().values_list("workspace_id", flat=True).distinct())


def _to_check(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    is_soon = Q(due__gt=now(), due__lte=now() + AHEAD)
    rows = deliveries.filter(state__in=BEFORE_SENDING).alias(due=Coalesce("due_at", "scheduled_at"))
    return rows.filter(is_soon | ~Q(risk=""))


def check_workspace(workspace_id: UUID) -> None:
    """Look, then judge. The network is asked outside of transactions."""
    with workspace_scope(workspace_id):
        workspace = Workspace.objects.get(pk=workspace_id)
        rows = list(with_content(_to_check(Delivery.objects.all())))
        urls = [url for row in rows for url in links_of(render(row))]
        ending = _ending_access(rows)
    check_links(workspace, urls)
    for connection in ending:
        _renew(connection)
    with workspace_scope(workspace_id):
        # Read again: a log-in may have ended, a person may have acted meanwhile.
        for flight in flights_of(list(with_content(_to_check(Delivery.objects.all())))):
            _note(flight)


def _ending_access(rows: Sequence[Delivery]) -> list[Connection]:
    """Accounts whose log-in ends before their last post here and can be renewed."""
    last = {row.connection_id: row.due_at for row in sorted(rows, key=lambda row: row.due_at or now()) if row.due_at}
    ends = dict(
        Credential.objects.filter(
            connection__in=last, kind=Credential.Kind.OAUTH2, connection__status=Connection.Status.ACTIVE
        ).values_list("connection", "expires_at")
    )
    accounts = {row.connection_id: row.connection for row in rows}
    return [
        accounts[pk]
        for pk, due in last.items()
        if (end := ends.get(pk)) and end < due and "offline.access" in accounts[pk].scopes and due < now() + AHEAD
    ]


def _renew(connection: Connection) -> None:
    try:
        refresh_credential(connection, seen_version=credential_version(connection))
    except NetworkError as error:
        # An access that has ended for good is marked by the refresh itself; anything else is tried again at the call.
        log.info("refresh_ahead_failed", connection=str(connection.pk), code=error.code)


def _note(flight: Flight) -> None:
    row = flight.delivery
    is_soon = now() < flight.due <= now() + AHEAD
    findings = flight.findings if is_soon else []
    level, text = _risk(findings)
    # Guarded by what was there: of two who look at once one writes, and tells.
    same = Delivery.objects.filter(pk=row.pk, risk=row.risk, risk_text=row.risk_text, state=row.state)
    if (level, text) == (row.risk, row.risk_text) or not same.update(risk=level, risk_text=text):
        return
    if RANK[level] > RANK[row.risk] and (level == RED or any(finding.code in TOLD for finding in findings)):
        _tell(flight, findings[0])


def _risk(findings: Sequence[Finding]) -> tuple[str, str]:
    if not findings:
        return "", ""
    more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
    return findings[0].level, findings[0].text[: 300 - len(more)] + more


def _tell(flight: Flight, finding: Finding) -> None:
    row = flight.delivery
    at = flight.due.astimezone(ZoneInfo(row.workspace.time_zone))
    text = f"At risk: “{row.post}” to {row.connection} at {at:%H:%M} {row.workspace.time_zone}. {finding.text}"
    perm = Perm.REVIEW if finding.code == "approval" and row.state == Delivery.State.IN_REVIEW else Perm.PUBLISH
    notify(row.workspace, "delivery.at_risk", text, path=row.get_absolute_url(), perm=perm, alert=True)
