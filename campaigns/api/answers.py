"""What the routes of this app share, and what those of all apps do."""

from rest_framework.request import Request

from accounts.answers import (
    Data,
    ListView,
    check_json,
    clean_or_refuse,
    locked,
    page_of,
    tagged,
    valid,
    wants_other,
)
from campaigns.errors import StaleForm

__all__ = [
    "Data",
    "ListView",
    "check_if_match",
    "check_json",
    "clean_or_refuse",
    "locked",
    "page_of",
    "tagged",
    "valid",
]


def check_if_match(request: Request, version: object) -> None:
    """Call it while holding the row's lock: nothing may change between the look and the write."""
    if wants_other(request, version):
        raise StaleForm("It was changed meanwhile. Read it again and repeat your change.")
