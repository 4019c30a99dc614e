from accounts.models.audit import INSTANCE_CHAIN, AuditDetail, AuditEntry, AuditHead
from accounts.models.news import Event, IdempotencyKey, Notification
from accounts.models.people import (
    ApiKey,
    Invitation,
    LatePolicy,
    Membership,
    Role,
    User,
    UserManager,
    Workspace,
    check_time_zone,
    new_secret,
)
from accounts.models.service import ServiceClient, ServiceTenant
from accounts.models.usage import Meter, RateCell, Switch, UsageEntry, UsageTotal

__all__ = [
    "INSTANCE_CHAIN",
    "ApiKey",
    "AuditDetail",
    "AuditEntry",
    "AuditHead",
    "Event",
    "IdempotencyKey",
    "Invitation",
    "LatePolicy",
    "Membership",
    "Meter",
    "Notification",
    "RateCell",
    "Role",
    "ServiceClient",
    "ServiceTenant",
    "Switch",
    "UsageEntry",
    "UsageTotal",
    "User",
    "UserManager",
    "Workspace",
    "check_time_zone",
    "new_secret",
]
