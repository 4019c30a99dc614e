"""What the writing agents are given: the brief, the brand, what is proven, and where the text is to go."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.models import User, Workspace
from agents.memory import brand_of, recall
from campaigns.draft_checks import LANGUAGES, Material, Place
from campaigns.draft_text import links_in, tags_in
from campaigns.models import Campaign
from compliance.guard.port import ANY
from social.models import Connection

Data = dict[str, Any]
FOUND, FOUND_TOKENS, CLAIMS = 6, 1_200, 12
MAX_SOURCE_TEXT = 600


def gather_material(workspace: Workspace, user: User | None, brief: str, campaign: Campaign | None) -> Data:
    """As JSON, so that a run can keep it. Inside the workspace's scope.

    With a `user`, their own memory is in it: not in runs that others read.
    """
    brand = brand_of(workspace, user)
    claims = [
        {"kind": "claim", "id": claim.id, "title": claim.text, "text": claim.text, "url": _url(claim.source)}
        for claim in brand.claims[:CLAIMS]
    ]
    found = [
        {"kind": one.kind, "id": str(one.id), "title": one.title, "text": one.text[:MAX_SOURCE_TEXT], "url": one.url}
        for one in recall(workspace, user, brief, k=FOUND, max_tokens=FOUND_TOKENS)
    ]
    return {
        "brief": brief,
        "brand": brand.as_text(),
        # Without blocks and claims there is nothing to hold a text against.
        "has_brand": bool(brand.voice or brand.audience or brand.words_use or brand.words_avoid),
        "avoid": list(brand.avoided_words),
        "sources": [*claims, *found],
        "links": links_in(brief),
        "tags": tags_in(brief),
        "campaign": _campaign(campaign),
    }


def _url(source: str) -> str:
    return source if source.startswith(("http://", "https://")) else ""


def _campaign(campaign: Campaign | None) -> Data:
    return {"name": campaign.name, "goal": campaign.goal, "brief": campaign.brief} if campaign else {}


def material_of(facts: Mapping[str, Any]) -> Material:
    parts = [facts["brief"], facts["brand"], *facts["campaign"].values(), facts.get("text", "")]
    return Material("\n".join(parts), facts["sources"], facts["avoid"])


def cited(facts: Mapping[str, Any]) -> list[Data]:
    """The sources without their text, as an Origin keeps them."""
    return [{name: one[name] for name in ("kind", "id", "title", "url")} for one in facts["sources"]]


def place_of(order: Mapping[str, Any]) -> Place:
    """Inside the workspace's scope."""
    if order.get("connection"):
        return Place(Connection.objects.get(pk=UUID(str(order["connection"]))))
    return Place(network=order.get("network") or ANY)


def order_for(place: Place, language: str, **more: Any) -> Data:
    """What one text has to be, as JSON."""
    return {
        "connection": str(place.connection.pk) if place.connection else "",
        "network": place.connection.network if place.connection else place.network,
        "network_name": place.name,
        "account": str(place.connection) if place.connection else "",
        "language": language,
        "limit": place.limit,
        **more,
    }


def language_name(code: str) -> str:
    return f"{LANGUAGES[code]} ({code})" if code in LANGUAGES else code


def message(*rows: tuple[str, Any]) -> str:
    """The user's message: a line for each fact that is there, longer ones below their name."""
    lines = []
    for name, value in rows:
        text = _text(value)
        if text:
            lines.append(f"{name}:\n{text}" if "\n" in text else f"{name}: {text}")
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, str | int):
        return str(value).strip()
    return "\n".join(f"- {one}" for one in value)


def proofs(facts: Mapping[str, Any]) -> list[str]:
    return [f"[{number}] {one['text']}" for number, one in enumerate(facts["sources"], start=1)]
