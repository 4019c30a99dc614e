"""Routes that are going away, as RFC 9745 and RFC 8594 tell a client."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.utils.http import http_date


@dataclass(frozen=True)
class Deprecation:
    """From `since` nobody should begin with the route, and at `ends` it is gone; `instead` is a path."""

    since: date
    ends: date
    instead: str

    def headers(self) -> dict[str, str]:
        return {
            "Deprecation": f"@{_midnight(self.since)}",
            "Sunset": http_date(_midnight(self.ends)),
            "Link": f'<{self.instead}>; rel="successor-version"',
        }


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
