"""Approvals by a policy that a member signed: only what is harmless, within its budget, and never a reply."""

import hmac
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.access import ROLE_PERMS, Actor, Perm, system_actor
from accounts.models import Membership, User
from accounts.scope import all_workspaces_scope, workspace_scope
from campaigns.costs import cost_of
from campaigns.errors import NotAllowedNow
from campaigns.guarding import Judged
from campaigns.models import AutonomyPolicy, Campaign, Delivery, Post
from campaigns.rendering import Rendered
from compliance.decisions import risk_of
from compliance.guard import Verdict
from compliance.models import Review
from compliance.models.review import Risk
from compliance.services import ReviewClosed, approve_review
from lib.clock import now

Mode = AutonomyPolicy.Mode
SALT = "campaigns.autonomy"
# What the rules ask a person about is never below a risk that a policy may name.
RISKS = (Risk.LOW, Risk.MEDIUM)
DRAFTS_ONLY = "This campaign takes drafts only from agents and API keys: a person has to submit them."


class NotByPolicy(Exception):
    """A person has to decide; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What was put in the queue just now."""

    delivery: Delivery
    rendered: Rendered
    judged: Judged
    review: Review


# --- the signature ----------------------------------------------------------------------------------------


def policy_hash(policy: AutonomyPolicy, *, key: str | bytes | None = None) -> str:
    """Over everything that was signed. Keyed, so that whoever can write the row cannot write a fitting hash."""
    facts = (
        policy.workspace_id,
        policy.pk,
        policy.campaign_id,
        policy.mode,
        policy.max_risk,
        policy.budget_micro,
        policy.signed_by_id,
        policy.signed_label,
        policy.signed_at.isoformat(),
    )
    text = "\n".join(str(fact) for fact in facts)
    return salted_hmac(SALT, text, secret=key or settings.SECRET_KEY, algorithm="sha256").hexdigest()


def is_genuine(policy: AutonomyPolicy) -> bool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(hmac.compare_digest(policy.hash, policy_hash(policy, key=key)) for key in keys)


def open_policy(campaign_id: UUID | None) -> AutonomyPolicy | None:
    if campaign_id is None:
        return None
    policies = AutonomyPolicy.objects.select_related("signed_by", "workspace")
    return policies.filter(campaign=campaign_id, revoked_at=None).first()


def signer_of(policy: AutonomyPolicy) -> User | None:
    """None once they left, were locked out, or lost the right to approve."""
    member = Membership.objects.select_related("user").filter(
        workspace=policy.workspace_id, user=policy.signed_by_id, user__is_active=True
    )
    found = member.first()
    return found.user if found and Perm.REVIEW in ROLE_PERMS[found.role] else None


# --- the dial ---------------------------------------------------------------------------------------------


def check_may_submit(campaign_id: UUID | None, by: Actor) -> None:
    """People always may. Raises PermissionDenied for agents and keys where a campaign takes drafts only."""
    if (by.is_agent or by.api_key_id) and campaign_id and is_drafts_only(campaign_id):
        raise PermissionDenied(DRAFTS_ONLY)


def may_submit(post: Post, by: Actor) -> bool:
    try:
        check_may_submit(post.campaign_id, by)
    except PermissionDenied:
        return False
    return True


def is_drafts_only(campaign_id: UUID) -> bool:
    policy = open_policy(campaign_id)
    # A row that somebody changed by hand says nothing we may rely on: the strictest holds.
    return policy is not None and (policy.mode == Mode.DRAFT_ONLY or not is_genuine(policy))


def approve_by_policy(asked: Asked) -> bool:
    """Whether its campaign's policy approved it. A refusal leaves it in the queue, as if there were no policy."""
    policy = open_policy(asked.delivery.post.campaign_id)
    if policy is None or policy.mode != Mode.AUTOMATIC:
        return False
    try:
        with transaction.atomic():
            _approve(policy, asked)
    except (NotByPolicy, ReviewClosed, PermissionDenied, ValidationError):
        return False
    return True


def _approve(policy: AutonomyPolicy, asked: Asked) -> None:
    signer = check_policy(policy, asked)
    spend(policy, cost_of(asked.rendered).total)
    by = system_actor(policy.workspace, f"policy of {policy.signed_label}"[:120], {Perm.REVIEW})
    approve_review(asked.review, by=by, seen_hash=asked.rendered.content_hash, vouched_by=signer)
    Delivery.objects.filter(pk=asked.delivery.pk).update(approved_policy=policy)
    audit.record("autonomy.approve", policy, by=by, delivery=str(asked.delivery.pk), hash=asked.rendered.content_hash)


def check_policy(policy: AutonomyPolicy, asked: Asked) -> User:
    """Its signer, where it lets this through. Raises NotByPolicy."""
    if not is_genuine(policy):
        raise NotByPolicy("The policy is not what was signed.")
    signer = signer_of(policy)
    if signer is None:
        raise NotByPolicy("Whoever signed the policy may no longer approve.")
    if asked.rendered.reply_to or asked.judged.context.action != "publish":
        raise NotByPolicy("Replies are always approved by a person.")
    if asked.judged.decision.verdict != Verdict.ALLOW:
        raise NotByPolicy("The rules ask for a person.")
    risk = risk_of(asked.judged.decision, asked.judged.context)
    if risk not in _up_to(policy.max_risk):
        raise NotByPolicy(f"Its risk is {risk}.")
    return signer


def _up_to(risk: str) -> tuple[Risk, ...]:
    return RISKS[: RISKS.index(Risk(risk)) + 1] if risk in RISKS else ()


def spend(policy: AutonomyPolicy, cost_micro: int) -> None:
    """One statement, so that two at once never go beyond the budget. Raises NotByPolicy."""
    fits = AutonomyPolicy.objects.filter(pk=policy.pk, revoked_at=None, hash=policy.hash)
    fits = fits.filter(spent_micro__lte=F("budget_micro") - cost_micro)
    if not fits.update(spent_micro=F("spent_micro") + cost_micro):
        raise NotByPolicy("Its budget is used up, or it was revoked.")


# --- signing ----------------------------------------------------------------------------------------------


def sign_policy(
    campaign: Campaign, *, by: Actor, mode: str, max_risk: str = Risk.LOW, budget_micro: int = 0
) -> AutonomyPolicy:
    """In the member's own name; it takes the place of the one before, whose approvals end with it."""
    by.require(Perm.REVIEW)
    if by.user is None or by.is_agent or by.api_key_id:
        raise PermissionDenied("A policy is signed by a person.")
    _check_terms(mode, max_risk, budget_micro)
    with transaction.atomic():
        _revoke_open(campaign, by)
        policy = AutonomyPolicy(
            workspace=by.workspace,
            campaign=campaign,
            mode=mode,
            max_risk=max_risk,
            budget_micro=budget_micro,
            signed_by=by.user,
            signed_label=by.label[:120],
            signed_at=now(),
        )
        policy.hash = policy_hash(policy)
        _insert(policy)
        terms = {"mode": mode, "max_risk": max_risk, "budget_micro": budget_micro}
        audit.record("autonomy.sign", policy, by=by, campaign=str(campaign.pk), hash=policy.hash, **terms)
    return policy


def _insert(policy: AutonomyPolicy) -> None:
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
    except IntegrityError:
        raise NotAllowedNow("Somebody else signed a policy for this campaign just now. Look at it first.") from None


def _check_terms(mode: str, max_risk: str, budget_micro: int) -> None:
    if mode not in Mode.values:
        raise ValidationError({"mode": "Choose how far its posts may go by themselves."})
    if max_risk not in RISKS:
        raise ValidationError({"max_risk": "Choose low or medium."})
    if not 0 <= budget_micro <= 10**15:
        raise ValidationError({"budget": "Give an amount of at least zero."})


def revoke_policy(campaign: Campaign, *, by: Actor) -> bool:
    """At once: what it approved and is not on its way yet needs a person. False where there was none."""
    by.require(Perm.REVIEW)
    with transaction.atomic():
        return _revoke_open(campaign, by)


def _revoke_open(campaign: Campaign, by: Actor) -> bool:
    from campaigns.deliveries.review import REVOKED_BY_EDIT, lock_deliveries, take_back_approvals

    policy = AutonomyPolicy.objects.filter(campaign=campaign, revoked_at=None).first()
    if policy is None:
        return False
    # Before the policy, as an edit takes them: the other way round the two would wait for each other.
    approved = Delivery.objects.filter(approved_policy=policy, state__in=REVOKED_BY_EDIT)
    lock_deliveries(approved.values_list("pk", flat=True))
    if not AutonomyPolicy.objects.filter(pk=policy.pk, revoked_at=None).update(revoked_at=now()):
        return False
    taken = take_back_approvals(policy)
    audit.record("autonomy.revoke", policy, by=by, campaign=str(campaign.pk), deliveries=taken)
    return True


def end_orphans() -> int:
    """Revoke what was signed by somebody who may no longer approve; the number of policies ended."""
    may_approve = [role for role, perms in ROLE_PERMS.items() if Perm.REVIEW in perms]
    signers = Membership.objects.filter(user=OuterRef("signed_by"), workspace=OuterRef("workspace"))
    with all_workspaces_scope("policies whose signer lost the right"):
        rows = AutonomyPolicy.objects.filter(revoked_at=None, mode=Mode.AUTOMATIC)
        rows = rows.exclude(Exists(signers.filter(role__in=may_approve, user__is_active=True)))
        found = list(rows.values_list("workspace_id", "pk"))
    for workspace_id, policy_id in found:
        with workspace_scope(workspace_id):
            policy = AutonomyPolicy.objects.select_related("campaign", "workspace").get(pk=policy_id)
            by = system_actor(policy.workspace, "its signer lost the right to approve", {Perm.REVIEW})
            revoke_policy(policy.campaign, by=by)
    return len(found)
