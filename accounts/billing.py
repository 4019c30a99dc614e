"""Who sells plans: a provider behind a port. Without one, staff sets the plan."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from accounts.models import Workspace
from accounts.plans import PLANS
from lib.clock import now
from lib.signing import sign
from lib.text import storable

SIGNATURE = "X-Billing-Signature"
TOLERANCE = timedelta(minutes=5)
MAX_REVISION = 2**62
MAX_REF = 120


@dataclass(frozen=True)
class PlanChange:
    """What a customer has bought. `plan` is empty where it ended; `revision` rises with every change of a workspace."""

    event_id: str
    workspace_id: UUID
    revision: int
    plan: str
    until: datetime | None
    customer: str


class BadHook(Exception):
    """A message that did not come from the provider, or that says nothing we know."""


class BillingProvider(Protocol):
    def checkout_url(self, workspace: Workspace, plan: str) -> str:
        """Where a person buys the plan; empty where it cannot be bought."""

    def portal_url(self, workspace: Workspace) -> str:
        """Where the customer sees bills and ends a plan; empty before anything was bought."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> PlanChange:
        """Raises BadHook."""


class SignedHook:
    """Any shop that links a customer to a page of its own and signs what it calls.

    `X-Billing-Signature: t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under BILLING_WEBHOOK_SECRET.
    The body is JSON: id, workspace, revision, plan, and where known until (ISO 8601) and customer.
    """

    def checkout_url(self, workspace: Workspace, plan: str) -> str:
        return _filled(settings.BILLING_CHECKOUT_URL, workspace=str(workspace.pk), plan=plan)

    def portal_url(self, workspace: Workspace) -> str:
        if not workspace.billing_ref:
            return ""
        return _filled(settings.BILLING_PORTAL_URL, workspace=str(workspace.pk), customer=workspace.billing_ref)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> PlanChange:
        _check_signature(headers.get(SIGNATURE, ""), body)
        try:
            return _read(json.loads(body))
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise BadHook("This message says nothing we know.") from error


PROVIDERS: dict[str, Callable[[], BillingProvider]] = {"signed": SignedHook}


def provider() -> BillingProvider | None:
    """The installation's; None where staff sets plans."""
    make = PROVIDERS.get(settings.BILLING_PROVIDER)
    return make() if make else None


def _check_signature(header: str, body: bytes) -> None:
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds, given = parts.get("t", ""), f"v1={parts.get('v1', '')}"
    # Without a secret anybody could sign.
    if not settings.BILLING_WEBHOOK_SECRET or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        raise BadHook("The signature is missing.")
    made = sign(settings.BILLING_WEBHOOK_SECRET, "", int(seconds), body, version="v1")
    if not hmac.compare_digest(given.encode(), made.encode()):
        raise BadHook("The signature is wrong.")
    if abs(now().timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise BadHook("The signature is too old.")


def _read(said: Any) -> PlanChange:
    if not isinstance(said, dict):
        raise TypeError(type(said))
    until = datetime.fromisoformat(said["until"]) if said.get("until") else None
    if until is not None and until.tzinfo is None:
        raise ValueError("until has no offset")
    # Only these two words for "ended": anything else that is empty must not take a plan away.
    if said["plan"] is not None and not isinstance(said["plan"], str):
        raise TypeError(type(said["plan"]))
    change = PlanChange(
        event_id=_text(said["id"]),
        workspace_id=UUID(str(said["workspace"])),
        revision=int(said["revision"]),
        plan=said["plan"] or "",
        # In UTC as the database keeps it: an offset at the end of time leads out of it.
        until=until and until.astimezone(UTC),
        customer=_text(said.get("customer") or "")[:MAX_REF],
    )
    if change.plan and change.plan not in PLANS:
        raise ValueError(change.plan)
    if not 0 < change.revision < MAX_REVISION:
        raise ValueError(change.revision)
    return change


def _text(value: Any) -> str:
    text = str(value)
    if storable(text) != text:
        raise ValueError("a text that cannot be kept")
    return text


def _filled(url: str, **values: str) -> str:
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url
