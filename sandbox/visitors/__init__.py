"""People of the audience who follow links and buy, with doors to order them and to ask what truly happened."""

from sandbox.router import Door, Platform, Route
from sandbox.visitors import automatic, console, landings, runs
from sandbox.visitors.automatic import obey_flag
from sandbox.visitors.schema import SCHEMA
from sandbox.wire import json_response

__all__ = ["PAGES", "SCHEMA", "obey_flag", "platform"]

_DOORS = (
    Door("/effects", console.show_effects, "GET"),
    Door("/effects", console.set_effects),
    Door("/truth", console.show_truth, "GET"),
    Door("/join", console.join),
    Door("/landings", landings.show_all, "GET"),
    Door("/landings", landings.save),
    Door("/click", runs.click),
    Door("/runs", runs.show, "GET"),
    Door("/visitors", automatic.show, "GET"),
    Door("/visitors", automatic.order),
)
# Open to everybody, under the admin's prefix.
PAGES = (
    Route("GET", "/landing/{name}", landings.show_page, is_api=False),
    Route("GET", "/landing/{name}/thanks", landings.show_thanks, is_api=False),
)


def platform() -> Platform:
    """It has no API of its own: its doors are the admin's."""
    return Platform(
        "audience",
        "/_audience",
        [],
        not_found=lambda status: json_response(status, {"error": "nothing is here"}),
        doors=_DOORS,
        start=automatic.start,
    )
