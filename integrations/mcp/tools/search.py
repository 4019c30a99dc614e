"""One search over what the workspace holds."""

import html
import re

from accounts.access import Actor, Perm
from integrations.mcp.registry import ToolDef
from integrations.mcp.tools.answers import page_url, when
from integrations.mcp.tools.schemas import JSON, choice, closed, gives, many, text, whole
from integrations.search.services import Hit, find

# What strangers wrote is found by list_inbox, which says what it is.
KINDS = ("campaign", "post", "person", "audit")
USUAL = ("campaign", "post")
MARK = re.compile(r"</?mark>")
SHOWN = 20


def search(actor: Actor, args: JSON) -> JSON:
    groups = find(args["query"], by=actor, kinds=args.get("kinds") or USUAL, limit=args.get("limit", 10))
    return {
        "found": [_hit(hit, actor) for group in groups for hit in group.hits],
        "more": [group.kind for group in groups if group.has_more],
        "time_zone": actor.workspace.time_zone,
    }


def _hit(hit: Hit, actor: Actor) -> JSON:
    return {
        "kind": hit.kind,
        "id": hit.id,
        "title": _plain(hit.title),
        "text": _plain(hit.text),
        "at": when(hit.at, actor.workspace),
        "page": page_url(actor, hit.path),
    }


def _plain(marked: str) -> str:
    """For pages it is HTML with what was found marked."""
    return html.unescape(MARK.sub("", marked))


TOOLS = (
    ToolDef(
        name="search",
        title="Search",
        description=(
            "Find posts and campaigns by any words in them, in English or Chinese; people and the audit trail too, as "
            "far as their person may see them. Use list_inbox to search conversations."
        ),
        input_schema=closed(
            ["query"],
            query=text("Words, or a phrase in quotation marks.", 200, least=1),
            kinds=many(choice("A kind.", KINDS), "Posts and campaigns without it.", len(KINDS), least=1),
            limit=whole("How many of each kind at most.", 1, SHOWN, default=10),
        ),
        do=search,
        output_schema=gives(found="array", more="array", time_zone="string"),
        perm=Perm.VIEW,
    ),
)
