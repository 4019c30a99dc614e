"""Landing pages: where links end, with a true conversion rate each."""

import json
import sqlite3
from dataclasses import asdict
from html import escape
from typing import Any

from sandbox.clock import iso
from sandbox.layout import page
from sandbox.router import Call
from sandbox.visitors import manners, telling
from sandbox.visitors.manners import Telling
from sandbox.wire import Response, html_response, json_response


def save(call: Call, body: dict[str, Any]) -> Response:
    manners.refuse_unknown(body, ("name", *manners.TELLING))
    name = manners.text(body, "name")
    if "/" in name or "?" in name:
        raise manners.BadOrder("a name has no / and no ?")
    settings = {key: value for key, value in body.items() if key != "name"}
    manners.parse_telling(settings)
    call.db.execute("INSERT OR REPLACE INTO audience_landings VALUES (?,?)", (name, json.dumps(settings)))
    return json_response(201, _as_json(name, settings))


def show_all(call: Call) -> Response:
    rows = call.db.execute("SELECT * FROM audience_landings ORDER BY name")
    return json_response(200, {"landings": [_as_json(row["name"], json.loads(row["settings"])) for row in rows]})


def _as_json(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "path": f"/_sandbox/landing/{name}", **asdict(manners.parse_telling(settings))}


def every(db: sqlite3.Connection) -> dict[str, Telling]:
    rows = db.execute("SELECT * FROM audience_landings")
    return {row["name"]: manners.parse_telling(json.loads(row["settings"])) for row in rows}


def show_page(call: Call) -> Response:
    """What a person sees who opens the link in a browser: it can be bought there."""
    name, query = call.args["name"], call.request.raw_query
    variant = telling.variant_of(f"http://x/_sandbox/landing/{name}?{query}")
    body = (
        f"<h1>{escape(name)}</h1><p class=soft>Variant {escape(variant or name)}</p>"
        f'<p><a href="/_sandbox/landing/{escape(name)}/thanks?{escape(query)}">Buy</a></p>'
    )
    return html_response(200, page(name, body))


def show_thanks(call: Call) -> Response:
    """The page after the purchase, with the pixel of the landing in it."""
    name = call.args["name"]
    url = f"http://{call.request.host}/_sandbox/landing/{name}?{call.request.raw_query}"
    settings = every(call.db).get(name, Telling())
    facts = {
        **call.request.query,
        "variant": telling.variant_of(url) or name,
        "landing": name,
        "url": url,
        "visitor": "you",
        "order": f"order-you-{int(call.now * 1000)}",
        "value": settings.value_for(0),
        "at": iso(call.now),
    }
    pixel = ""
    if settings.pixel:
        pixel = f'<img src="{escape(telling.fill_address(settings.pixel, facts))}" alt="">'
    response = html_response(200, page("Thank you", f"<h1>Thank you</h1>{pixel}"))
    # The pixel belongs to the product, which is another address.
    response.headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src *"
    response.headers["referrer-policy"] = "unsafe-url"
    return response
