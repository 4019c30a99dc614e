from compliance.models.fingerprint import Fingerprint
from compliance.models.guard import (
    AccountHealth,
    GuardDecision,
    GuardRule,
    GuardSettings,
    HealthSignal,
    RuleStat,
    WorkspaceTerm,
)
from compliance.models.people import Consent, Contact, Notice
from compliance.models.privacy import Erasure, LegalHold, PrivacyRequest
from compliance.models.review import Review, ReviewEvent, ReviewLink

__all__ = [
    "AccountHealth",
    "Consent",
    "Contact",
    "Erasure",
    "Fingerprint",
    "GuardDecision",
    "GuardRule",
    "GuardSettings",
    "HealthSignal",
    "LegalHold",
    "Notice",
    "PrivacyRequest",
    "Review",
    "ReviewEvent",
    "ReviewLink",
    "RuleStat",
    "WorkspaceTerm",
]
