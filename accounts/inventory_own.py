"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import (
    FOREVER,
    WITH_ACCOUNT,
    WITH_INSTALLATION,
    WITH_WORKSPACE,
    Person,
    Rule,
    declare,
    keep_days,
)
from accounts.inventory_categories import ACCOUNT, AUDIT, COSTS, NEWS, OPERATION, TEAM
from accounts.models import (
    ApiKey,
    AuditDetail,
    AuditEntry,
    AuditHead,
    Event,
    IdempotencyKey,
    Invitation,
    Membership,
    Meter,
    Notification,
    RateCell,
    ServiceClient,
    ServiceTenant,
    Switch,
    UsageEntry,
    UsageTotal,
    User,
    Workspace,
)

OWN, UNLINK, LABEL, MENTION, WHOLE, ROW = Rule.OWN, Rule.UNLINK, Rule.LABEL, Rule.MENTION, Rule.WHOLE, Rule.ROW

declare(
    User,
    ACCOUNT,
    WITH_ACCOUNT,
    subjects={Person.USER: "pk"},
    known_by=("id", "email"),
    named_by=("name",),
    personal={"email": OWN, "name": OWN, "time_zone": OWN, "password": OWN},
    secret=("password",),
)
for through in (User.groups.through, User.user_permissions.through):
    declare(through, TEAM, WITH_ACCOUNT, subjects={Person.USER: "user"}, personal={"user": OWN})
declare(
    Workspace,
    TEAM,
    WITH_WORKSPACE,
    path="pk",
    personal={"stopped_text": MENTION},
    not_personal=("name", "slug", "time_zone", "holiday_countries", "plan", "billing_ref"),
    secret=("billing_ref",),
)
declare(
    Membership,
    TEAM,
    WITH_WORKSPACE,
    path="workspace",
    subjects={Person.USER: "user"},
    personal={"user": OWN},
)
declare(
    Invitation,
    TEAM,
    keep_days(30, "expires_at"),
    path="workspace",
    personal={"email": ROW, "invited_by": UNLINK},
    export=("workspace__name", "email", "role", "created_at", "accepted_at"),
)
declare(
    ApiKey,
    TEAM,
    WITH_WORKSPACE,
    path="workspace",
    subjects={Person.USER: "created_by"},
    known_by=("prefix",),
    personal={"created_by": OWN, "name": OWN, "prefix": OWN, "key_hash": OWN},
    not_personal=("scopes",),
    secret=("key_hash",),
)
declare(
    AuditEntry,
    AUDIT,
    FOREVER,
    path="workspace",
    # The ids of rows: they say nothing once the detail is erased.
    not_personal=("action", "object_kind", "object_id", "digest", "previous_hash", "hash"),
)
declare(
    AuditDetail,
    AUDIT,
    FOREVER,
    path="workspace",
    personal={"actor": WHOLE, "data": WHOLE, "salt": WHOLE},
    secret=("salt",),
    export=("entry__action", "entry__at", "entry__object_kind", "entry__object_id", "workspace__name"),
)
declare(AuditHead, AUDIT, FOREVER, path="workspace", not_personal=("hash",))
declare(
    Event,
    NEWS,
    keep_days(90, "created_at"),
    path="workspace",
    personal={"payload": ROW},
    not_personal=("kind",),
    is_private=True,
)
declare(
    Notification,
    NEWS,
    keep_days(180, "created_at"),
    path="workspace",
    subjects={Person.USER: "user"},
    personal={"user": OWN, "text": MENTION, "path": MENTION},
    not_personal=("kind",),
    is_private=True,
)
declare(
    IdempotencyKey,
    OPERATION,
    keep_days(7, "created_at"),
    path="workspace",
    personal={"key": ROW, "caller": ROW, "body": ROW},
    not_personal=("fingerprint",),
    is_private=True,
)
declare(UsageEntry, COSTS, WITH_WORKSPACE, path="workspace", not_personal=("key", "kind", "scopes"))
declare(UsageTotal, COSTS, WITH_WORKSPACE, path="workspace", not_personal=("scope",))
declare(Meter, COSTS, WITH_WORKSPACE, path="workspace", not_personal=("name",))
declare(RateCell, OPERATION, keep_days(1, "tat"), not_personal=("key",))
declare(
    Switch,
    OPERATION,
    WITH_INSTALLATION,
    personal={"changed_by": LABEL, "reason": MENTION},
    not_personal=("name",),
)
declare(
    ServiceClient,
    TEAM,
    WITH_INSTALLATION,
    personal={"owner": UNLINK},
    not_personal=("name", "prefix", "key_hash"),
    secret=("key_hash",),
)
declare(
    ServiceTenant,
    TEAM,
    WITH_WORKSPACE,
    path="workspace",
    personal={"data": MENTION, "external_id": MENTION},
)
