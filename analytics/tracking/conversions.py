"""Conversions: each key once, counted for the last click before it, and for the arm its visitor had."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q

from accounts.answers import check_json
from accounts.models import Workspace
from accounts.scope import workspace_scope
from analytics.models import Conversion, Event
from analytics.tracking.clicks import instant_of
from analytics.tracking.ingest import EventRow, add_event
from analytics.tracking.tracking import tracking_of
from analytics.tracking.visitors import UNIT
from lib.clock import now
from lib.text import storable

# Clocks of shops differ from ours.
SKEW = timedelta(minutes=5)
MAX_AGE = timedelta(days=400)
# A date alone stands for its noon, which may be to come.
MAX_AHEAD = timedelta(days=1)
MAX_DATA = 4_000
MICRO = 1_000_000
# A thousand millions of the currency.
MAX_VALUE = 10**9 * MICRO
# Where in a conversion's data the fingerprint of what was sent stands.
SENT = "_sent"


class KeyReused(Exception):
    """The same key with other data. The API answers 409."""


@dataclass(frozen=True)
class Wanted:
    """A conversion as it was sent in; `at` is None for now."""

    key: str
    goal: str = "purchase"
    at: datetime | None = None
    value_micro: int = 0
    click_id: UUID | None = None
    visitor: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        said = [self.goal, self.at and self.at.isoformat(), self.value_micro, str(self.click_id or ""), self.visitor]
        text = json.dumps([*said, self.data], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Click(NamedTuple):
    id: UUID
    at: datetime
    link_id: UUID | None
    campaign_id: UUID | None
    post_id: UUID | None
    arm: str
    experiment: str
    visitor: str
    is_bot: bool


NO_CLICK = Click(UUID(int=0), datetime.min, None, None, None, "", "", "", False)


def book(
    workspace: Workspace,
    *,
    key: str,
    goal: str = "purchase",
    at: datetime | None = None,
    source: str = Conversion.Source.SERVER,
    value_micro: int = 0,
    click_id: UUID | None = None,
    visitor: str = "",
    data: dict[str, Any] | None = None,
) -> tuple[Conversion, bool]:
    """The conversion, and whether it is new. Raises ValidationError, and KeyReused for a known key with other data."""
    wanted = Wanted(key, goal, at, value_micro, click_id, visitor, data or {})
    return book_all(workspace, [wanted], source=source)[0]


def book_all(workspace: Workspace, wanted: Iterable[Wanted], *, source: str) -> list[tuple[Conversion, bool]]:
    """All of them or none."""
    cleaned = [clean(row) for row in wanted]
    with workspace_scope(workspace.pk):
        days = timedelta(days=tracking_of(workspace).attribution_days)
        # In one order, so that two callers with the same keys wait for each other instead of dying together.
        booked = {row.key: _book(workspace, row, source, days) for row in sorted(cleaned, key=lambda row: row.key)}
        for row in cleaned:
            _check_same(booked[row.key][0], row)
        return [booked[row.key] for row in cleaned]


def _book(workspace: Workspace, wanted: Wanted, source: str, days: timedelta) -> tuple[Conversion, bool]:
    at = wanted.at or now()
    click = find_click(workspace.pk, wanted.click_id, wanted.visitor, at, days)
    row = Conversion(
        workspace=workspace,
        key=wanted.key,
        goal=wanted.goal,
        at=at,
        received_at=now(),
        source=source,
        value_micro=wanted.value_micro,
        click_id=click.id if click else None,
        clicked_at=click.at if click else None,
        visitor=click.visitor if click else wanted.visitor,
        # Whoever deleted the link or the campaign meanwhile took the reference with it.
        link_id=click and _existing("analytics_link", click.link_id),
        campaign_id=click and _existing("campaigns_campaign", click.campaign_id),
        post_id=click.post_id if click else None,
        arm=click.arm if click else "",
        data={**wanted.data, SENT: wanted.fingerprint},
    )
    Conversion.objects.bulk_create([row], ignore_conflicts=True)
    stored = Conversion.objects.get(workspace=workspace, key=wanted.key)
    if stored.pk != row.pk:
        _check_same(stored, wanted)
        return stored, False
    add_event(workspace.pk, _event(stored, click or NO_CLICK))
    if click and click.experiment:
        _mark_exposure(stored, click)
    return stored, True


def _check_same(stored: Conversion, wanted: Wanted) -> None:
    if stored.data.get(SENT) != wanted.fingerprint:
        raise KeyReused(f"The key {wanted.key} was used for another conversion. Use a new key for a new one.")


def _existing(table: str, pk: UUID | None) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s", [pk])  # noqa: S608 (our own names)
        return pk if cursor.fetchone() else None


def _event(row: Conversion, click: Click) -> EventRow:
    return EventRow(
        Event.Kind.CONVERSION.value,
        row.at,
        row.pk,
        name=row.goal,
        campaign_id=click.campaign_id,
        post_id=click.post_id,
        link_id=click.link_id,
        arm=click.arm,
        visitor=row.visitor,
        # What was bought was not bought by a robot, whatever its click looked like.
        is_bot=False,
        value_micro=row.value_micro,
    )


def _mark_exposure(row: Conversion, click: Click) -> None:
    """The earliest conversion counts, however late it is told; what the visitor was worth is the sum of all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analytics_exposure SET value_micro = value_micro + %(value)s, converted_at = CASE "
            "WHEN %(value)s < 0 THEN converted_at ELSE least(converted_at, greatest(%(at)s, at)) END "
            "WHERE experiment_id = %(experiment)s AND unit = %(unit)s AND at <= %(until)s",
            {
                "value": row.value_micro,
                "at": row.at,
                "until": row.at + SKEW,
                "experiment": UUID(click.experiment),
                "unit": click.visitor,
            },
        )


# --- whose click ------------------------------------------------------------------------------------------


def find_click(workspace_id: UUID, click_id: UUID | None, visitor: str, at: datetime, days: timedelta) -> Click | None:
    """The click of this id, else the visitor's last one: not later than the conversion, nor too long before it."""
    window = Q(workspace_id=workspace_id, kind=Event.Kind.CLICK, at__lte=at + SKEW, at__gte=at - days)
    clicks = Event.objects.filter(window).order_by("-at")
    found = None
    if click_id and (instant := instant_of(click_id)):
        found = _click(clicks.filter(at=instant, pk=click_id))
    if found is None and visitor:
        found = _click(clicks.filter(visitor=visitor))
    return found


def _click(clicks: Any) -> Click | None:
    names = ("pk", "at", "link_id", "campaign_id", "post_id", "arm", "name", "visitor", "is_bot")
    row = clicks.values_list(*names).first()
    return Click(*row) if row else None


# --- what callers send --------------------------------------------------------------------------------------


def clean(wanted: Wanted) -> Wanted:
    """Raises ValidationError, by field."""
    errors: dict[str, str] = {}
    key, goal = storable(wanted.key).strip(), storable(wanted.goal).strip() or "purchase"
    if not 1 <= len(key) <= 120:
        errors["key"] = "1 to 120 characters that name this conversion and no other, such as the order's number."
    if len(goal) > 60:
        errors["goal"] = "At most 60 characters."
    if wanted.at and not now() - MAX_AGE <= wanted.at <= now() + MAX_AHEAD:
        errors["at"] = "A time of the last 400 days."
    if abs(wanted.value_micro) > MAX_VALUE:
        errors["value"] = "At most 1,000,000,000."
    if wanted.visitor and not UNIT.fullmatch(wanted.visitor):
        errors["visitor"] = "The 32 hexadecimal digits that we gave, or nothing."
    errors |= _data_errors(wanted.data)
    if errors:
        raise ValidationError(errors)
    return replace(wanted, key=key, goal=goal)


def _data_errors(data: dict[str, Any]) -> dict[str, str]:
    try:
        check_json(data)
    except ValidationError as error:
        return {"data": error.messages[0]}
    return {"data": f"At most {MAX_DATA:,} characters of JSON."} if len(json.dumps(data)) > MAX_DATA else {}


def read_value(text: str) -> int:
    """Millionths. Raises ValidationError."""
    try:
        value = Decimal(text.strip() or "0")
        # `abs` would fail for an exponent beyond those of calculations.
        if not value.is_finite() or value.copy_abs() > MAX_VALUE:
            raise InvalidOperation
    except InvalidOperation as error:
        raise ValidationError({"value": "A number with a point, such as 49.90; a refund is negative."}) from error
    return int((value * MICRO).to_integral_value())


def read_click(text: str) -> UUID | None:
    """None for what is no id of a click: a shop passes on what it was given."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
