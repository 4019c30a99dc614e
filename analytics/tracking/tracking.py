"""How a workspace tracks: currency, attribution, cookie. Without the row nothing is tracked beyond its own links."""

import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import resolver_scope
from analytics.models import Tracking
from lib.clock import now

MAX_DAYS = 90
FIELDS = ("attribution_days", "uses_cookie", "currency", "dollars_per_unit")


def find_tracking(workspace: Workspace) -> Tracking | None:
    return Tracking.objects.filter(workspace=workspace).first()


def tracking_of(workspace: Workspace) -> Tracking:
    """The row, or what it would be: not saved."""
    return find_tracking(workspace) or Tracking(workspace=workspace, pixel_key="")


def by_pixel(key: str) -> tuple[Tracking, Workspace] | None:
    """Before the workspace is known: whose pixel this is."""
    with resolver_scope(key):
        row = Tracking.objects.select_related("workspace").filter(pixel_key=key).first()
    if row is None or row.workspace.is_suspended or row.workspace.deletes_at:
        return None
    return row, row.workspace


def change_tracking(*, by: Actor, **values: Any) -> Tracking:
    """Make the row or change what is named. Raises ValidationError."""
    by.require(Perm.SETTINGS)
    with transaction.atomic():
        fresh = Tracking(workspace=by.workspace, pixel_key=secrets.token_hex(10))
        Tracking.objects.bulk_create([fresh], ignore_conflicts=True)
        row = Tracking.objects.select_for_update(no_key=True).get(workspace=by.workspace)
        changed = {name: value for name, value in _clean(values).items() if getattr(row, name) != value}
        for name, value in changed.items():
            setattr(row, name, value)
        row.updated_at = now()
        row.save(update_fields=[*changed, "updated_at"])
        if changed or row.pk == fresh.pk:
            audit.record("tracking.change", row, by=by, **{name: str(value) for name, value in changed.items()})
    return row


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(FIELDS)
    if unknown:
        raise ValidationError(f"There is no {', '.join(sorted(unknown))} to set.")
    cleaned = dict(values)
    if "currency" in values:
        cleaned["currency"] = str(values["currency"]).strip().upper()
        if not re.fullmatch(r"[A-Z]{3}", cleaned["currency"]):
            raise ValidationError({"currency": "Three letters, such as USD or EUR."})
    if "attribution_days" in values and not 1 <= int(values["attribution_days"]) <= MAX_DAYS:
        raise ValidationError({"attribution_days": f"From 1 to {MAX_DAYS} days."})
    if "dollars_per_unit" in values:
        cleaned["dollars_per_unit"] = _rate(values["dollars_per_unit"])
    return cleaned


def _rate(value: Any) -> Decimal:
    try:
        rate = Decimal(str(value))
    except InvalidOperation as error:
        raise ValidationError({"dollars_per_unit": "Enter a number."}) from error
    if not rate.is_finite() or not 0 < rate < 10**8:
        raise ValidationError({"dollars_per_unit": "A number above 0."})
    return rate.quantize(Decimal("0.000001"))
