"""The orders that set the audience's mind, tell the truth about it, and let people join."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from sandbox import addresses, audience, tastes
from sandbox.audience import Facts, Taste
from sandbox.clock import parse_iso
from sandbox.router import Call
from sandbox.telegram import earnings, invites, people
from sandbox.visitors import manners
from sandbox.visitors.manners import BadOrder
from sandbox.wire import Response, json_response
from sandbox.x import accounts

MAX_JOINING = 1000


def show_effects(call: Call) -> Response:
    return json_response(200, tastes.as_json(tastes.current(call.db)))


def set_effects(call: Call, body: dict[str, Any]) -> Response:
    return json_response(200, tastes.as_json(tastes.change(call.db, body)))


def show_truth(call: Call) -> Response:
    """?text=&text=…&handle= or &chat=&at=&media=1: what each text is expected to earn."""
    pairs = parse_qsl(call.request.raw_query, keep_blank_values=True)
    query = dict(pairs)
    moment = parse_iso(query["at"]) if "at" in query else call.now
    common = replace(_reader(call, query), created_at=moment, has_media=query.get("media") == "1")
    taste = tastes.current(call.db)
    texts = [_expected(common, taste, value) for name, value in pairs if name == "text"]
    if not texts:
        raise BadOrder("text is required")
    return json_response(200, {"texts": texts})


def _reader(call: Call, query: dict[str, str]) -> Facts:
    """Whose audience it is; without a name, that of an X account of 1,000 followers."""
    if "chat" in query:
        chat = people.named_chat(call.db, query["chat"])
        if chat is None:
            raise BadOrder(f"no chat {query['chat']}")
        return Facts("", "", 0.0, chat["audience"], is_feed=False)
    if "handle" not in query:
        return Facts("", "", 0.0, 1000)
    account = accounts.find(call.db, query["handle"])
    if account is None:
        raise BadOrder(f"no account {query['handle']}")
    return Facts("", "", 0.0, account["followers"])


def _expected(common: Facts, taste: Taste, text: str) -> dict[str, Any]:
    words = addresses.without_addresses(text)
    facts = replace(common, text=words, has_link=words != text)
    rates = audience.expected_rates(facts, taste)
    shown = {name: rates[name] for name in audience.ENGAGEMENTS if name != "clicks" or facts.has_link}
    return {
        "text": text,
        "features": sorted(audience.noticed(facts, taste)),
        "reach": audience.expected_reach(facts, taste),
        "rates": {name: rates[name] for name in audience.ENGAGEMENTS},
        "engagement_rate": sum(shown.values()),
        "hour_factor": audience.hour_factor(facts.created_at, taste.swing, taste.peak),
    }


def join(call: Call, body: dict[str, Any]) -> Response:
    manners.refuse_unknown(body, ("link", "people"))
    link, count = manners.text(body, "link"), manners.whole(body, "people", 1, 1, MAX_JOINING)
    invite = invites.find(call.db, link)
    if invite is None:
        raise BadOrder(f"no link {link}")
    joined = earnings.join_people(call.world, invite, count)
    chat = people.chat(call.db, invite["chat_id"])
    assert chat is not None
    members = earnings.member_count(call.world, chat, call.now)
    return json_response(200, {"joined": joined, "chat": chat["id"], "member_count": members})
