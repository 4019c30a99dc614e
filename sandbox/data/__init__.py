"""A provider of market data: prices that anybody can compute from the seed, and doors to set one."""

from sandbox.data import access, console, quotes
from sandbox.data.schema import SCHEMA
from sandbox.router import Door, Platform, Route
from sandbox.wire import Response, json_response

__all__ = ["SCHEMA", "platform"]


def platform() -> Platform:
    return Platform(
        "data",
        "/data",
        [Route("GET", "/v1/quotes/{symbol}", quotes.get_quote)],
        not_found=_not_found,
        admit=access.admit,
        fail=access.fail,
        doors=(Door("/prices", console.set_price), Door("/prices", console.list_prices, "GET")),
    )


def _not_found(status: int) -> Response:
    return json_response(status, {"error": {"code": "not_found", "message": "There is nothing here."}})
