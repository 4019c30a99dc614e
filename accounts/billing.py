"""Who sells plans: a provider behind a port. Without one, staff sets the plan."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from django.conf import settings

from accounts.models import Workspace
from accounts.plans import PLANS
from lib.clock import now

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
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise BadHook("This message says nothing we know.") from error


PROVIDERS: dict[str, Callable[[], BillingProvider]] = {"signed": SignedHook}


def provider() -> BillingProvider | None:
    """The installation's; None where staff sets plans."""
    make = PROVIDERS.get(settings.BILLING_PROVIDER)
    return make() if make else None


def sign(body: bytes, at: datetime) -> str:
    """The header that a shop sends with this body."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_mac(seconds, body)}"


def _mac(seconds: str, body: bytes) -> str:
    secret = settings.BILLING_WEBHOOK_SECRET.encode()
    return hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def _check_signature(header: str, body: bytes) -> None:
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds, given = parts.get("t", ""), parts.get("v1", "")
    # Without a secret anybody could sign.
    if not settings.BILLING_WEBHOOK_SECRET or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        raise BadHook("The signature is missing.")
    if not hmac.compare_digest(given.encode(), _mac(seconds, body).encode()):
        raise BadHook("The signature is wrong.")
    if abs(now().timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise BadHook("The signature is too old.")


def _read(said: Any) -> PlanChange:
    if not isinstance(said, dict):
        raise TypeError(type(said))
    until = datetime.fromisoformat(said["until"]) if said.get("until") else None
    if until is not None and until.tzinfo is None:
        raise ValueError("until has no offset")
    change = PlanChange(
        event_id=str(said["id"]),
        workspace_id=UUID(str(said["workspace"])),
        revision=int(said["revision"]),
        plan=str(said["plan"] or ""),
        until=until,
        customer=str(said.get("customer") or "")[:MAX_REF],
    )
    if change.plan and change.plan not in PLANS:
        raise ValueError(change.plan)
    if not 0 < change.revision < MAX_REVISION or "\x00" in change.customer:
        raise ValueError(change.revision)
    return change


def _filled(url: str, **values: str) -> str:
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url
