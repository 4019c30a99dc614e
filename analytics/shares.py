"""Pages of results for people without an account. Only the hash of an address's token is kept."""

import hashlib
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import new_secret
from accounts.scope import resolver_scope, workspace_scope
from analytics.models import SharedPage
from lib.clock import now
from lib.text import one_line, storable

TOKEN = re.compile(r"sp_[A-Za-z0-9_-]{43}")
DAYS, MOST_DAYS = 30, 365
KINDS = ("dashboard", "campaign")
# What of an address is kept with it.
PARAMS = ("days", "from", "to", "than", "campaign", "connection")
SEEN_EVERY = timedelta(minutes=5)


def share_page(
    kind: str,
    params: dict[str, str],
    *,
    by: Actor,
    object_id: UUID | None = None,
    label: str = "",
    days: int = DAYS,
    with_costs: bool = False,
) -> tuple[SharedPage, str]:
    """The row and its token, which exists nowhere else: show it once. The caller has loaded what it opens."""
    by.require(Perm.CONTENT_EDIT)
    if kind not in KINDS:
        raise ValidationError("This cannot be shared.")
    if not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": f"Between 1 and {MOST_DAYS} days."})
    token = new_secret("sp")
    kept: dict[str, Any] = {name: params[name][:40] for name in PARAMS if params.get(name)}
    with transaction.atomic():
        page = SharedPage.objects.create(
            workspace=by.workspace,
            token_hash=hash_token(token),
            kind=kind,
            object_id=object_id,
            params=kept | {"with_costs": with_costs},
            label=one_line(storable(label))[:80],
            created_by=by.user,
            expires_at=now() + timedelta(days=days),
        )
        audit.record("shared_page.create", page, by=by, page=kind, object=str(object_id or ""), days=days)
    return page, token


def revoke_page(page: SharedPage, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        if SharedPage.objects.filter(pk=page.pk, revoked_at=None).update(revoked_at=now()):
            audit.record("shared_page.revoke", page, by=by, page=page.kind)


def page_url(token: str) -> str:
    return f"{settings.BASE_URL}/shared/{token}"


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_page(token: str) -> SharedPage | None:
    """By its token alone, before the workspace is known; None as well where it has ended."""
    if not TOKEN.fullmatch(token):
        return None
    key = hash_token(token)
    with resolver_scope(key):
        page = SharedPage.objects.select_related("workspace").filter(token_hash=key).first()
    is_open = page is not None and page.revoked_at is None and page.expires_at > now()
    return page if page and is_open and not page.workspace.is_suspended and not page.workspace.deletes_at else None


def note_seen(page: SharedPage) -> None:
    """Not every look is worth a write."""
    if page.seen_at is None or page.seen_at < now() - SEEN_EVERY:
        with workspace_scope(page.workspace_id):
            SharedPage.objects.filter(pk=page.pk).update(seen_at=now())
