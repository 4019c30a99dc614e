"""Times as people type them: on the clock of a wall somewhere."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from campaigns.slots import resolve


def parse_local(value: str, zone: str) -> datetime:
    """A date and a wall-clock time as browsers send them, in the workspace's zone."""
    try:
        local = datetime.fromisoformat(value.strip())
        return resolve(local.date(), local.time().replace(tzinfo=None), zone)
    # The first and the last day of the calendar do not exist in every zone.
    except (ValueError, OverflowError):
        raise ValidationError({"at": "Give a date and a time."}) from None


def gap_note(value: str, zone: str) -> str:
    """What to say where the clocks skip the time that was typed."""
    typed = datetime.fromisoformat(value.strip()).replace(tzinfo=None)
    local = parse_local(value, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if local == typed:
        return ""
    return f"Clocks go forward that day: {typed:%H:%M} does not exist, so it goes out at {local:%H:%M}."
