"""The accounts of the workspace: what they are called and how they do. Never what opens them."""

from uuid import UUID

from django.http import Http404

from accounts.access import Actor, Perm
from analytics.access import find_connection
from campaigns.account_health import MEANS
from compliance.health import current_state, health_of, reasons_of
from compliance.models import AccountHealth
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import PAGE, account_data, page_of, when
from integrations.mcp.tools.schemas import JSON, choice, closed, gives
from social.models import Connection, Network
from social.networks.rules import RULES


def get_account(actor: Actor, connection_id: UUID) -> Connection:
    """404 for what is gone or somebody else's."""
    row = find_connection(actor, str(connection_id))
    if row is None:
        raise Http404("Not found.")
    return row


def list_connections(actor: Actor, args: JSON) -> JSON:
    rows = Connection.objects.shown().filter(workspace=actor.workspace)
    if args.get("network"):
        rows = rows.filter(network=args["network"])
    standing = health_of(rows.values_list("pk", flat=True))
    page = page_of(rows, args, lambda row: _account(row, standing.get(row.pk), actor))
    return page | {"time_zone": actor.workspace.time_zone}


def _account(row: Connection, standing: AccountHealth | None, actor: Actor) -> JSON:
    return account_data(row) | {
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "health": row.health,
        "says": " ".join(filter(None, (row.status_text, *_standing(row, standing)))),
        "missing_permissions": row.missing_scopes,
        "waits_until": when(row.limited_now, actor.workspace),
        "followers": row.followers,
        "characters": RULES[row.network].limit(row, False),
        "characters_with_media": RULES[row.network].limit(row, True),
        "is_sandbox": row.is_sandbox,
    }


def _standing(row: Connection, standing: AccountHealth | None) -> list[str]:
    """How the network sees it, where that is not as usual."""
    state = current_state(standing) if standing else AccountHealth.State.HEALTHY
    if standing is None or state == AccountHealth.State.HEALTHY:
        return []
    return [f"{row} {MEANS[AccountHealth.State(state)]}.", *reasons_of(standing)]


TOOLS = (
    ToolDef(
        name="list_connections",
        title="List accounts",
        description="The connected accounts: their ids for other tools, whether they can post, how long a text may be.",
        input_schema=closed(network=choice("Only of this network.", Network.values), **PAGE),
        do=list_connections,
        output_schema=gives(items="array", next_cursor="string?", time_zone="string"),
        perm=Perm.VIEW,
    ),
)
