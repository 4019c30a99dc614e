"""The models of packages, declared. Loaded by `ready()`."""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)
from guardian.models import GroupObjectPermission, UserObjectPermission

from accounts.inventory import WITH_ACCOUNT, WITH_INSTALLATION, Person, Rule, declare, keep_days
from accounts.inventory_categories import ACCOUNT, AUDIT, OPERATION, SIGN_IN, TEAM

OWN, UNLINK, MENTION = Rule.OWN, Rule.UNLINK, Rule.MENTION
USER = {Person.USER: "user"}

declare(EmailAddress, ACCOUNT, WITH_ACCOUNT, subjects=USER, known_by=("email",), personal={"user": OWN, "email": OWN})
declare(
    EmailConfirmation,
    ACCOUNT,
    keep_days(30, "created"),
    subjects={Person.USER: "email_address__user"},
    personal={"email_address": OWN, "key": OWN},
    secret=("key",),
)
declare(
    Authenticator,
    SIGN_IN,
    WITH_ACCOUNT,
    subjects=USER,
    personal={"user": OWN, "data": OWN},
    secret=("data",),
)
declare(
    SocialAccount,
    SIGN_IN,
    WITH_ACCOUNT,
    subjects=USER,
    personal={"user": OWN, "uid": OWN, "extra_data": OWN},
    not_personal=("provider",),
)
declare(
    SocialToken,
    SIGN_IN,
    WITH_ACCOUNT,
    subjects={Person.USER: "account__user"},
    personal={"account": OWN, "token": OWN, "token_secret": OWN},
    secret=("token", "token_secret"),
)
# The session's data names its person only after decoding: `compliance.privacy.caches` finds theirs.
declare(
    Session,
    SIGN_IN,
    keep_days(0, "expire_date"),
    personal={"session_data": OWN, "session_key": OWN},
    secret=("session_data", "session_key"),
)
declare(
    LogEntry,
    AUDIT,
    keep_days(730, "action_time"),
    subjects=USER,
    personal={"user": OWN, "object_repr": MENTION, "change_message": MENTION, "object_id": Rule.LABEL},
)
declare(UserObjectPermission, TEAM, WITH_ACCOUNT, subjects=USER, personal={"user": OWN}, not_personal=("object_pk",))
declare(GroupObjectPermission, TEAM, WITH_INSTALLATION, not_personal=("object_pk",))

for model in (Group, Permission):
    names = ("name",) if model is Group else ("name", "codename")
    declare(model, OPERATION, WITH_INSTALLATION, not_personal=names)
declare(Group.permissions.through, OPERATION, WITH_INSTALLATION)
declare(ContentType, OPERATION, WITH_INSTALLATION, not_personal=("app_label", "model"))
declare(
    SocialApp,
    OPERATION,
    WITH_INSTALLATION,
    not_personal=("provider", "provider_id", "name", "client_id", "secret", "key", "settings"),
    secret=("secret", "key"),
)
for model in (ClockedSchedule, IntervalSchedule, PeriodicTasks, SolarSchedule):
    declare(model, OPERATION, WITH_INSTALLATION)
declare(
    CrontabSchedule,
    OPERATION,
    WITH_INSTALLATION,
    not_personal=("minute", "hour", "day_of_month", "month_of_year", "day_of_week"),
)
declare(
    PeriodicTask,
    OPERATION,
    WITH_INSTALLATION,
    not_personal=(
        *("name", "task", "args", "kwargs", "queue", "exchange", "routing_key", "headers"),
        "description",
    ),
)
