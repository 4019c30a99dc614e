"""The models of this app, declared. Loaded by `ready()`."""

from django.conf import settings

from accounts.inventory import WITH_WORKSPACE, Person, Rule, declare, keep_days
from accounts.inventory_categories import APPROVALS, ASSISTANTS, CONTENT, INBOX, PUBLISHING
from campaigns.models import (
    Attempt,
    AutonomyPolicy,
    Campaign,
    ComposerDraft,
    Conversation,
    Delivery,
    HourlyRollup,
    Import,
    InboxCursor,
    InboxMessage,
    LinkCheck,
    LiveChange,
    LivePart,
    MediaAsset,
    MediaUpload,
    Origin,
    PartMedia,
    Plan,
    PlanLine,
    Post,
    PostPart,
    PostVersion,
    PublishingLog,
    Recurrence,
    ReviewPrompt,
    Slot,
    Snippet,
    Source,
    SourceConnection,
    SourceItem,
)

OWN, UNLINK, LABEL, MENTION = Rule.OWN, Rule.UNLINK, Rule.LABEL, Rule.MENTION
USER = {Person.USER: "user"}

declare(
    Campaign,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"name": MENTION, "goal": MENTION, "brief": MENTION, "config": MENTION, "created_by": UNLINK},
    not_personal=("markets", "industry"),
)
declare(
    AutonomyPolicy,
    APPROVALS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"signed_by": UNLINK, "signed_label": LABEL},
    labelled_by={"signed_label": "signed_by"},
    not_personal=("max_risk", "hash"),
)
declare(
    Delivery,
    PUBLISHING,
    WITH_WORKSPACE,
    path="workspace",
    personal={"override_texts": MENTION, "problem_text": MENTION, "risk_text": MENTION, "approved_by": UNLINK},
    not_personal=("approved_hash", "problem_code", "risk"),
)
declare(
    LivePart,
    PUBLISHING,
    WITH_WORKSPACE,
    path="workspace",
    not_personal=("content_hash", "remote_id", "url", "remote_ids"),
)
declare(
    Attempt,
    PUBLISHING,
    WITH_WORKSPACE,
    path="workspace",
    personal={"message": MENTION, "raw": MENTION},
    not_personal=("request_id", "code"),
)
declare(
    MediaUpload,
    PUBLISHING,
    keep_days(0, "expires_at"),
    path="workspace",
    personal={"alt_text": MENTION},
    not_personal=("remote_id",),
)
declare(
    LiveChange,
    PUBLISHING,
    WITH_WORKSPACE,
    path="workspace",
    personal={"text": MENTION, "entities": MENTION, "problem_text": MENTION, "requested_by": UNLINK},
    not_personal=("action_hash",),
)
declare(
    Source,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        **dict.fromkeys(("name", "feed_url", "config", "scan_error"), MENTION),
        "created_by": UNLINK,
    },
    not_personal=("folder", "feed_etag", "feed_modified"),
)
declare(SourceConnection, CONTENT, WITH_WORKSPACE, path="workspace")
declare(
    SourceItem,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"message": MENTION},
    # Names of the workspace's own files: as long as they lie in the folder they come back with every scan.
    not_personal=("path", "digest", "code"),
)
declare(
    PublishingLog,
    PUBLISHING,
    keep_days(settings.PUBLISHING_LOG_DAYS, "at"),
    path="workspace",
    personal={"message": MENTION, "details": MENTION},
    not_personal=("action", "status"),
)
declare(HourlyRollup, PUBLISHING, WITH_WORKSPACE, path="workspace")
declare(
    LinkCheck,
    CONTENT,
    keep_days(90, "checked_at"),
    path="workspace",
    personal={"url": MENTION, "problem": MENTION},
    not_personal=("url_hash",),
    is_private=True,
)
declare(Slot, CONTENT, WITH_WORKSPACE, path="workspace", not_personal=("time_zone",))
declare(
    Recurrence,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"problem_text": MENTION, "created_by": UNLINK},
    not_personal=("weekdays", "time_zone"),
)
declare(
    Import,
    CONTENT,
    keep_days(730, "applied_at"),
    path="workspace",
    personal={**dict.fromkeys(("name", "rows", "fates"), MENTION), "created_by": UNLINK},
    not_personal=("columns", "mapping", "time_zone"),
)
declare(
    MediaAsset,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"name": MENTION},
    not_personal=("file", "thumbnail", "mime", "sha256"),
)
declare(
    Post,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        **dict.fromkeys(("title", "tags", "options", "reply_facts", "external_id"), MENTION),
        "created_by": UNLINK,
        "authors": Rule.DROP,
    },
    not_personal=("language", "reply_to"),
)
declare(PostPart, CONTENT, WITH_WORKSPACE, path="workspace", personal={"text": MENTION, "poll": MENTION})
declare(PartMedia, CONTENT, WITH_WORKSPACE, path="workspace", personal={"alt_text": MENTION})
declare(
    ReviewPrompt,
    APPROVALS,
    keep_days(180, "created_at"),
    path="workspace",
    subjects=USER,
    personal={"user": OWN, "token": OWN},
    not_personal=("action_hash",),
    secret=("token",),
    is_private=True,
)
declare(
    ComposerDraft,
    CONTENT,
    keep_days(30, "updated_at"),
    path="workspace",
    subjects=USER,
    personal={"user": OWN, "data": OWN},
    is_private=True,
)
declare(
    PostVersion,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"author": LABEL, "content": MENTION},
)
declare(
    Snippet,
    CONTENT,
    WITH_WORKSPACE,
    path="workspace",
    personal={"name": MENTION, "text": MENTION, "created_by": UNLINK},
)
declare(
    Plan,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **dict.fromkeys(("brief", "strategy", "problem"), MENTION)},
    not_personal=("languages",),
)
declare(
    PlanLine,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        "decided_by": UNLINK,
        **dict.fromkeys(("text", "variants", "findings", "notes", "origin"), MENTION),
    },
    not_personal=("language",),
)
declare(
    Origin,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        "accepted_by": UNLINK,
        "accepted_label": LABEL,
        **dict.fromkeys(("sources", "sentences", "assistant"), MENTION),
    },
    not_personal=("step_key", "model", "prompt_sha256"),
    labelled_by={"accepted_label": "accepted_by"},
)
declare(
    Conversation,
    INBOX,
    keep_days(730, "last_at"),
    path="workspace",
    personal={
        "assigned_to": UNLINK,
        **dict.fromkeys(("author_id", "author_handle", "author_name"), Rule.WHOLE),
    },
    not_personal=("remote_id", "intent"),
)
declare(
    InboxMessage,
    INBOX,
    WITH_WORKSPACE,
    path="workspace",
    personal=dict.fromkeys(("text", "url", "reading", "draft"), MENTION),
    not_personal=("remote_id",),
)
declare(InboxCursor, INBOX, WITH_WORKSPACE, path="workspace", not_personal=("kind", "since_id", "problem"))
