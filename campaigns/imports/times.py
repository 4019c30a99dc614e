"""Dates and times as people write them in tables."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
CLOCK = re.compile(
    r"(?P<early>上午|下午|am|pm)?\s*(?P<hour>\d{1,2})(?:[:.h点时](?P<minute>\d{2})?分?)?(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"\s*(?P<late>am|pm|a\.m\.|p\.m\.)?\s*(?:uhr|h)?\s*(?P<offset>z|utc|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
EXAMPLE = "Write it like 2026-12-01 09:00."


class BadTime(Exception):
    """The text says what to write instead."""


def read_moment(day_text: str, clock_text: str, zone: str) -> tuple[datetime | None, str]:
    """The instant and what to know about it; None where nothing is written. Raises BadTime."""
    # A workbook gives a date with a midnight, or a time with a date before all others.
    whole = " ".join(f"{day_text} {clock_text}".replace("T", " ").replace("：", ":").split())
    if not whole:
        return None, ""
    if zone not in available_timezones():
        raise BadTime(f"“{zone[:60]}” is not a time zone. Use a name such as Europe/Berlin.")
    day, rest = _day(whole)
    clock, offset = _clock(rest, whole)
    try:
        typed = datetime.combine(day, clock)
        moment = typed.replace(tzinfo=offset or ZoneInfo(zone)).astimezone(UTC)
        return moment, "" if offset else clock_note(typed, zone)
    except OverflowError as error:
        raise BadTime(f"“{whole[:40]}” is no time we can plan. {EXAMPLE}") from error


def clock_note(typed: datetime, zone: str) -> str:
    """What to say where the clocks skip or repeat the time that was written."""
    first, second = (typed.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    local = first.astimezone(UTC).astimezone(ZoneInfo(zone))
    if local.replace(tzinfo=None) != typed:
        return f"Clocks in {zone} go forward that day: {typed:%H:%M} does not exist, so it goes out at {local:%H:%M}."
    return f"Clocks in {zone} go back that day: {typed:%H:%M} comes twice, and the first one is meant."


def _day(whole: str) -> tuple[date, str]:
    """The day and what is left beside it."""
    for pattern, order in ((YEAR_FIRST, (1, 2, 3)), (DAY_FIRST, (3, 2, 1)), (SLASHES, (3, 1, 2))):
        found = pattern.search(whole)
        if found is None:
            continue
        year, month, number = (int(found[group]) for group in order)
        if pattern is SLASHES:
            month, number = _unambiguous(month, number, whole)
        try:
            return date(year, month, number), f"{whole[: found.start()]} {whole[found.end() :]}".strip()
        except ValueError as error:
            raise BadTime(f"“{whole[:40]}”: there is no such day. {EXAMPLE}") from error
    raise BadTime(f"“{whole[:40]}” is no date. {EXAMPLE}")


def _unambiguous(first: int, second: int, whole: str) -> tuple[int, int]:
    """Month and day of a date with slashes, which Americans and Europeans read differently."""
    if first > 12:
        return second, first
    if second <= 12 and first != second:
        raise BadTime(f"“{whole[:40]}” can mean two days. {EXAMPLE}")
    return first, second


def _clock(rest: str, whole: str) -> tuple[time, timezone | None]:
    if not rest:
        raise BadTime(f"“{whole[:40]}” has no time of the day. {EXAMPLE}")
    found = CLOCK.fullmatch(rest)
    if found is None:
        raise BadTime(f"“{whole[:40]}” has no time we can read. {EXAMPLE}")
    hour, half = int(found["hour"]), (found["early"] or found["late"] or "").lower().replace(".", "")
    if not half and found["minute"] is None and ":" not in rest and not re.search(r"[h点时]|uhr", rest, re.IGNORECASE):
        raise BadTime(f"“{whole[:40]}” has no time we can read. {EXAMPLE}")
    if half in {"pm", "下午"} and hour < 12:
        hour += 12
    if half in {"am", "上午"} and hour == 12:
        hour = 0
    try:
        return time(hour, int(found["minute"] or 0), int(found["second"] or 0)), _offset(found["offset"])
    except ValueError as error:
        raise BadTime(f"“{whole[:40]}”: there is no such time. {EXAMPLE}") from error


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text.lower() in {"z", "utc"}:
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
