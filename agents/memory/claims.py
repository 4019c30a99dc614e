"""Facts that the brand may state, each with what proves it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from agents.models import BrandClaim
from lib.clock import now
from lib.text import one_line, storable

MAX_CLAIMS = 500


@dataclass(frozen=True)
class ClaimDraft:
    text: str
    source: str
    language: str = ""
    valid_until: date | None = None


def visible_claims(actor: Actor) -> QuerySet[BrandClaim]:
    actor.require(Perm.VIEW)
    return BrandClaim.objects.filter(workspace=actor.workspace)


def claims_in_force(workspace: Workspace) -> QuerySet[BrandClaim]:
    today = now().date()
    return BrandClaim.objects.filter(Q(valid_until=None) | Q(valid_until__gte=today), workspace=workspace)


def get_claim(actor: Actor, claim_id: UUID) -> BrandClaim:
    claim = visible_claims(actor).filter(pk=claim_id).first()
    if claim is None:
        raise Http404("Not found.")
    return claim


def save_claim(draft: ClaimDraft, *, by: Actor, claim: BrandClaim | None = None) -> BrandClaim:
    """Add one, or change the given one. Raises ValidationError. Agents cannot: a claim needs somebody who vouches."""
    _require_person(by)
    if claim is None and visible_claims(by).count() >= MAX_CLAIMS:
        raise ValidationError({"text": f"There can be {MAX_CLAIMS} claims at most."})
    is_new = claim is None
    claim = claim or BrandClaim(workspace=by.workspace, created_by=by.user)
    claim.text, claim.source = one_line(storable(draft.text)), one_line(storable(draft.source))
    claim.language, claim.valid_until = draft.language.strip(), draft.valid_until
    claim.clean_fields(exclude=["workspace", "created_by"])
    with transaction.atomic():
        claim.save()
        audit.record("brand.claim_add" if is_new else "brand.claim_change", claim, by=by)
    return claim


def delete_claim(claim: BrandClaim, *, by: Actor) -> None:
    _require_person(by)
    with transaction.atomic():
        audit.record("brand.claim_delete", claim, by=by)
        claim.delete()


def _require_person(by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    if by.is_agent:
        raise PermissionDenied("Only people say what the brand may claim.")
