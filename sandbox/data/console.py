"""The doors of the data provider: what a price is, because a test says so."""

from typing import Any

from sandbox.data.quotes import SYMBOL
from sandbox.router import Call
from sandbox.wire import Response, json_response


def set_price(call: Call, body: dict[str, Any]) -> Response:
    """{symbol, price_cents}: it stays until it is set again; without a price it walks on."""
    symbol = str(body.get("symbol", "")).upper()
    if not SYMBOL.fullmatch(symbol):
        raise ValueError("symbol is one of up to twelve letters, digits, dots and hyphens")
    cents = body.get("price_cents")
    if cents is None:
        call.db.execute("DELETE FROM data_prices WHERE symbol = ?", (symbol,))
    elif type(cents) is not int or cents < 1:
        raise ValueError("price_cents is a whole number above zero")
    else:
        call.db.execute("INSERT OR REPLACE INTO data_prices VALUES (?,?,?)", (symbol, cents, call.now))
    return list_prices(call)


def list_prices(call: Call) -> Response:
    rows = call.db.execute("SELECT * FROM data_prices ORDER BY symbol").fetchall()
    return json_response(200, {"prices": {row["symbol"]: row["price_cents"] for row in rows}})
