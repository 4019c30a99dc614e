"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import WITH_ACCOUNT, WITH_INSTALLATION, WITH_WORKSPACE, Person, Rule, declare, keep_days
from accounts.inventory_categories import CONNECTIONS, MESSAGES, OPERATION, SIGN_IN
from social.models import (
    Bot,
    BotChat,
    BotReceiver,
    Connection,
    Credential,
    InboundUpdate,
    InviteLink,
    NetworkApp,
    NetworkState,
    OAuthState,
    RateBucket,
    TelegramCode,
    TelegramLink,
    UserSession,
)

OWN, UNLINK, LABEL, MENTION, ROW = Rule.OWN, Rule.UNLINK, Rule.LABEL, Rule.MENTION, Rule.ROW
USER = {Person.USER: "user"}

declare(
    Connection,
    CONNECTIONS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"connected_by": UNLINK, "name": MENTION, "status_text": MENTION},
    # The workspace's own account: what it publishes as.
    not_personal=("remote_id", "origin_id", "kind", "handle", "scopes", "api_host", "app_key"),
)
declare(
    NetworkApp,
    CONNECTIONS,
    WITH_WORKSPACE,
    path="workspace",
    not_personal=("name", "client_id", "client_secret", "consumer_key", "consumer_secret"),
)
declare(
    Credential,
    CONNECTIONS,
    WITH_WORKSPACE,
    path="workspace",
    not_personal=("access_token", "refresh_token", "token_secret"),
    is_private=True,
)
declare(
    OAuthState,
    CONNECTIONS,
    keep_days(0, "expires_at"),
    path="workspace",
    subjects=USER,
    personal={"user": OWN, "state_hash": OWN, "session_hash": OWN, "verifier": OWN, "redirect_uri": OWN},
    secret=("state_hash", "session_hash"),
    is_private=True,
)
declare(NetworkState, OPERATION, WITH_INSTALLATION)
declare(RateBucket, OPERATION, WITH_INSTALLATION, not_personal=("app_key",))
declare(Bot, CONNECTIONS, WITH_WORKSPACE, path="workspace", not_personal=("username", "name", "token"))
declare(
    BotReceiver,
    OPERATION,
    WITH_INSTALLATION,
    path="workspace_id",
    not_personal=("username", "webhook_secret_hash", "problem"),
    secret=("webhook_secret_hash",),
)
declare(
    InboundUpdate,
    MESSAGES,
    keep_days(30, "received_at"),
    personal={"payload": ROW, "problem": ROW},
    not_personal=("kind",),
)
declare(
    BotChat,
    MESSAGES,
    WITH_INSTALLATION,
    # A private chat has the id of its person, and is named after them.
    personal={"chat_id": ROW, "changed_by": LABEL, "title": LABEL, "username": LABEL, "topics": MENTION},
    not_personal=("kind", "status"),
)
declare(
    TelegramLink,
    CONNECTIONS,
    WITH_ACCOUNT,
    subjects=USER,
    known_by=("telegram_user_id",),
    named_by=("name", "username"),
    personal={"user": OWN, "username": OWN, "name": OWN},
)
declare(
    TelegramCode,
    SIGN_IN,
    keep_days(0, "expires_at"),
    path="workspace",
    subjects=USER,
    personal={"user": OWN, "code_hash": OWN},
    secret=("code_hash",),
    is_private=True,
)
declare(
    InviteLink,
    CONNECTIONS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, "name": MENTION},
    not_personal=("url",),
)
declare(
    UserSession,
    CONNECTIONS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"name": MENTION, "status_text": MENTION},
    not_personal=("lease_holder", "api_hash", "session"),
    is_private=True,
)
