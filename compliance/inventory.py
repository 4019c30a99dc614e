"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import (
    FOREVER,
    WITH_CONTACT,
    WITH_INSTALLATION,
    WITH_WORKSPACE,
    Person,
    Rule,
    declare,
    keep_days,
)
from accounts.inventory_categories import APPROVALS, CONTACTS, PRIVACY, PUBLISHING, RULES
from compliance.models import (
    AccountHealth,
    Consent,
    Contact,
    Erasure,
    Fingerprint,
    GuardDecision,
    GuardRule,
    GuardSettings,
    HealthSignal,
    LegalHold,
    Notice,
    PrivacyRequest,
    Review,
    ReviewEvent,
    ReviewLink,
    RuleStat,
    WorkspaceTerm,
)

OWN, UNLINK, LABEL, MENTION = Rule.OWN, Rule.UNLINK, Rule.LABEL, Rule.MENTION

declare(
    Fingerprint,
    PUBLISHING,
    keep_days(400, "seen_at"),
    path="workspace_id",
    not_personal=("network", "exact"),
)
declare(
    GuardRule,
    RULES,
    WITH_INSTALLATION,
    personal={"updated_by": UNLINK},
    not_personal=("rule", "pack", "data", "shipped"),
)
declare(
    WorkspaceTerm,
    RULES,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, "term": MENTION, "reason": MENTION, "replacement": MENTION},
    not_personal=("platforms",),
)
declare(
    GuardSettings,
    RULES,
    WITH_WORKSPACE,
    path="workspace",
    personal={"facts": MENTION},
    not_personal=("markets", "industry", "sla_minutes"),
)
declare(
    GuardDecision,
    RULES,
    keep_days(400, "at"),
    path="workspace",
    personal={"hits": MENTION},
    not_personal=("kind", "action_hash", "verdict", "disclosure"),
)
declare(RuleStat, RULES, keep_days(730, "day"), path="workspace", not_personal=("rule",))
declare(
    AccountHealth,
    RULES,
    WITH_WORKSPACE,
    path="workspace",
    personal={"reasons": MENTION, "forced_reason": MENTION},
)
declare(HealthSignal, RULES, keep_days(400, "at"), path="workspace", personal={"detail": MENTION})
declare(
    Contact,
    CONTACTS,
    WITH_CONTACT,
    path="workspace",
    subjects={Person.CONTACT: "pk"},
    known_by=("id", "email", "remote_id"),
    named_by=("name", "handle"),
    personal={
        **dict.fromkeys(("name", "email", "network", "remote_id", "handle", "country", "language", "notes"), OWN),
        "created_by": UNLINK,
    },
)
declare(
    Notice,
    CONTACTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, "text": MENTION},
    not_personal=("purpose", "language"),
)
declare(
    Consent,
    CONTACTS,
    WITH_CONTACT,
    path="workspace",
    subjects={Person.CONTACT: "contact"},
    personal={"contact": OWN, "evidence": MENTION, "recorded_by": LABEL},
    not_personal=("purpose", "channel", "method"),
    is_append_only=True,
)
declare(
    PrivacyRequest,
    PRIVACY,
    keep_days(1095, "done_at"),
    path="workspace",
    personal={
        "subject_label": LABEL,
        "details": MENTION,
        "extended_because": MENTION,
        "refusal": MENTION,
        "created_by": UNLINK,
        "handled_by": UNLINK,
    },
    # The result's counts and digests; the file goes with an erasure.
    not_personal=("identity_method", "manifest", "file"),
)
declare(
    LegalHold,
    PRIVACY,
    keep_days(1095, "released_at"),
    path="workspace",
    personal={"reason": MENTION, "set_by": UNLINK},
)
declare(Erasure, PRIVACY, FOREVER, not_personal=("counts",))
declare(
    Review,
    APPROVALS,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        "snapshot": MENTION,
        "guard": MENTION,
        "hold_reason": MENTION,
        "reason": MENTION,
        "held_by_label": LABEL,
        "decided_label": LABEL,
        **dict.fromkeys(("requested_by", "claimed_by", "decided_by"), UNLINK),
    },
    labelled_by={"decided_label": "decided_by"},
    not_personal=("kind", "action_hash"),
)
declare(
    ReviewEvent,
    APPROVALS,
    keep_days(730, "at"),
    path="workspace",
    personal={"user": UNLINK, "label": LABEL, "text": MENTION},
    labelled_by={"label": "user"},
)
declare(
    ReviewLink,
    APPROVALS,
    keep_days(365, "expires_at"),
    path="workspace",
    personal={"name": LABEL, "email": LABEL, "scope_label": MENTION, "created_by": UNLINK},
    not_personal=("token_hash",),
    secret=("token_hash",),
)
