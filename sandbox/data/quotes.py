"""A price for every symbol at every minute: a slow walk that depends on nothing but the seed."""

import math
import re

from sandbox.clock import iso
from sandbox.data.access import error
from sandbox.faults import uniform
from sandbox.router import Call
from sandbox.wire import Response, json_response

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,11}")
# Nobody lists these.
UNLISTED = "ZZ"
STEP_SECONDS = 900
CALL_PRICE_MICRO = 200


def get_quote(call: Call) -> Response:
    symbol = call.args["symbol"].upper()
    if not SYMBOL.fullmatch(symbol) or symbol.startswith(UNLISTED):
        return error(404, "unknown_symbol", f"{symbol[:20]} is not listed.")
    call.cost_micro = CALL_PRICE_MICRO
    return json_response(200, quote(call, symbol))


def quote(call: Call, symbol: str) -> dict[str, object]:
    """Prices are decimal strings in the currency's unit."""
    row = call.db.execute("SELECT * FROM data_prices WHERE symbol = ?", (symbol,)).fetchone()
    at = row["at"] if row else _step(call.now) * STEP_SECONDS
    cents = row["price_cents"] if row else walk(call.world.seed, symbol, call.now)
    return {
        "symbol": symbol,
        "name": f"{symbol} Sandbox Corp",
        "currency": "USD",
        "price": f"{cents // 100}.{cents % 100:02}",
        "at": iso(at),
    }


def walk(seed: int, symbol: str, now: float) -> int:
    """In cents, at least one: around a price of the symbol's own, in waves of its own."""
    middle = 500 + 50_000 * uniform(seed, symbol, "middle")
    phase = math.tau * uniform(seed, symbol, "phase")
    days = now / 86_400
    wave = 0.08 * math.sin(math.tau * days / 9 + phase) + 0.02 * math.sin(math.tau * days * 3 + 2 * phase)
    noise = 0.01 * (uniform(seed, symbol, _step(now)) - 0.5)
    return max(1, round(middle * (1 + wave + noise)))


def _step(now: float) -> int:
    return int(now // STEP_SECONDS)
