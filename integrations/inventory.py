"""The models of this app, declared. Loaded by `ready()`."""

from accounts.inventory import WITH_INSTALLATION, WITH_WORKSPACE, Person, Rule, declare, keep_days
from accounts.inventory_categories import CONTENT, OPERATION, SIGN_IN
from integrations.models import (
    McpServer,
    McpToken,
    McpUsage,
    OAuthClient,
    OAuthCode,
    OutsideServer,
    SearchDue,
    SearchEntry,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookTry,
)

MENTION, UNLINK = Rule.MENTION, Rule.UNLINK
HERE = {"path": "workspace"}

declare(
    McpServer,
    SIGN_IN,
    WITH_WORKSPACE,
    subjects={Person.USER: "user"},
    personal={"user": Rule.OWN, "name": Rule.OWN},
    not_personal=("tools", "resources", "prompts", "status_text", "suspended_by"),
    is_private=True,
    **HERE,
)
declare(
    OAuthClient,
    OPERATION,
    WITH_INSTALLATION,
    not_personal=("client_id", "name", "redirect_uris", "uri"),
)
declare(
    OAuthCode,
    SIGN_IN,
    keep_days(1, "expires_at"),
    subjects={Person.USER: "server__user"},
    not_personal=("redirect_uri", "challenge", "resource", "code_hash"),
    secret=("code_hash",),
    is_private=True,
    **HERE,
)
declare(
    McpToken,
    SIGN_IN,
    WITH_WORKSPACE,
    subjects={Person.USER: "server__user"},
    not_personal=("prefix", "token_hash"),
    secret=("token_hash",),
    is_private=True,
    **HERE,
)
declare(
    McpUsage,
    OPERATION,
    keep_days(400, "day"),
    subjects={Person.USER: "server__user"},
    not_personal=("tool",),
    is_private=True,
    **HERE,
)
declare(
    OutsideServer,
    OPERATION,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK},
    not_personal=("name", "url", "secret", "tools", "allowed", "read_only", "problem_text", "pause_text"),
    **HERE,
)
declare(
    WebhookEndpoint,
    OPERATION,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK},
    not_personal=("label", "url", "kinds", "secret", "old_secret", "status_text"),
    **HERE,
)
declare(
    WebhookDelivery,
    OPERATION,
    keep_days(30, "created_at"),
    personal={"payload": MENTION},
    not_personal=("kind", "ordering_key"),
    **HERE,
)
declare(
    WebhookTry,
    OPERATION,
    keep_days(30, "at"),
    personal={"answer": MENTION},
    not_personal=("problem_text",),
    **HERE,
)
declare(
    SearchEntry,
    CONTENT,
    WITH_WORKSPACE,
    personal={"title": Rule.ROW, "body": Rule.ROW},
    not_personal=("kind", "tokens"),
    **HERE,
)
declare(SearchDue, CONTENT, WITH_WORKSPACE, not_personal=("kind",), **HERE)
