"""The models of this app, declared. Loaded by `ready()`."""

from django.conf import settings

from accounts.inventory import WITH_INSTALLATION, WITH_WORKSPACE, Person, Rule, declare, keep_days
from accounts.inventory_categories import ASSISTANTS, COSTS, OPERATION
from agents.models import (
    AISettings,
    Assistant,
    BrandClaim,
    Chunk,
    Circuit,
    Consolidation,
    Dataset,
    DatasetItem,
    Document,
    Effect,
    Interrupt,
    MemoryBlock,
    MemoryBlockVersion,
    MemoryItem,
    Message,
    ModelCall,
    PeriodicTask,
    PeriodicTurn,
    PromptLabel,
    PromptTemplate,
    PromptVersion,
    ProviderKey,
    Replay,
    Run,
    Score,
    SearchScope,
    SearchTerm,
    Step,
    Thread,
    Tombstone,
)

UNLINK, LABEL, MENTION, ROW = Rule.UNLINK, Rule.LABEL, Rule.MENTION, Rule.ROW
TRACES = keep_days(settings.TRACE_DAYS, "ended_at")


def mentions(*names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, MENTION)


declare(
    AISettings,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"updated_by": UNLINK},
    not_personal=("role_models",),
)
declare(
    ProviderKey,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("name", "base_url", "problem")},
    not_personal=("provider", "hint", "secret"),
)
declare(Circuit, OPERATION, WITH_INSTALLATION, not_personal=("name", "last_error"))
declare(
    ModelCall,
    COSTS,
    WITH_WORKSPACE,
    path="workspace",
    not_personal=("key", "step_key", "role", "provider", "model", "price", "error"),
)
declare(
    Assistant,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("name", "description", "settings", "metadata")},
    not_personal=("key", "workflow"),
)
declare(
    PromptVersion,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={
        "author": UNLINK,
        "author_label": LABEL,
        **mentions("body", "config", "variables", "message"),
    },
    not_personal=("sha256", "cloned_from"),
    labelled_by={"author_label": "author"},
)
declare(
    PromptLabel,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"updated_by": UNLINK},
    not_personal=("label",),
)
declare(
    PromptTemplate,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("name", "body")},
    not_personal=("language", "industry"),
)
declare(
    Thread,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    subjects={Person.USER: "user"},
    personal={"user": Rule.OWN, **dict.fromkeys(("title", "metadata", "summary"), Rule.OWN)},
)
declare(
    Run,
    ASSISTANTS,
    TRACES,
    path="workspace",
    personal={
        "user": UNLINK,
        "started_by": LABEL,
        **mentions("input", "output", "error", "progress", "webhook_url", "idem_key"),
    },
    not_personal=("workflow", "prompt_sha256", "trace_id"),
    labelled_by={"started_by": "user"},
)
declare(
    Step,
    ASSISTANTS,
    TRACES,
    path="workspace",
    personal=mentions("input", "output", "error"),
    not_personal=("key", "agent", "input_sha256", "model", "prompt_sha256", "span_id", "parent_span_id"),
)
declare(
    Interrupt,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"answered_by": UNLINK, "answered_label": LABEL, **mentions("args", "given", "reason")},
    not_personal=("key", "action", "args_sha256", "perm"),
    labelled_by={"answered_label": "answered_by"},
)
declare(
    Effect,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal=mentions("result"),
    not_personal=("key", "tool", "args_sha256"),
)
declare(
    Message,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"author": UNLINK, **mentions("text", "citations")},
)
declare(
    MemoryBlock,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    # Without a person it is the workspace's: one's own must not become everybody's.
    subjects={Person.USER: "user"},
    personal={"user": Rule.OWN, **mentions("text", "label", "updated_by")},
)
declare(
    MemoryBlockVersion,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal=mentions("text", "author"),
)
declare(
    BrandClaim,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("text", "source")},
    not_personal=("language",),
)
declare(
    MemoryItem,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    # One remembered thing about somebody is worth nothing without them, and its search words would stay.
    subjects={Person.USER: "user"},
    personal={
        "user": Rule.OWN,
        "created_by": UNLINK,
        "text": ROW,
        **mentions("subject", "created_label"),
    },
    not_personal=("kind", "source_kind", "tokens"),
)
declare(Tombstone, ASSISTANTS, WITH_WORKSPACE, path="workspace", not_personal=("digest",))
declare(
    Document,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("title", "url", "problem")},
    not_personal=("file", "sha256"),
)
declare(
    Chunk,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"text": ROW, "heading": MENTION},
    not_personal=("tokens",),
)
declare(SearchScope, ASSISTANTS, WITH_WORKSPACE, path="workspace", not_personal=("kind",))
declare(SearchTerm, ASSISTANTS, WITH_WORKSPACE, path="workspace")
declare(
    Consolidation,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    subjects={Person.USER: "user"},
    personal={"user": Rule.OWN, "undone_by": UNLINK, "diff": MENTION},
)
declare(
    Score,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"user": UNLINK, "comment": MENTION},
    not_personal=("step_key", "name", "evaluator"),
)
declare(
    Dataset,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, **mentions("name", "description")},
)
declare(
    DatasetItem,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal=mentions("input", "expected"),
    not_personal=("workflow",),
)
declare(
    Replay,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    personal={"created_by": UNLINK, "results": MENTION},
)
declare(
    PeriodicTask,
    ASSISTANTS,
    WITH_WORKSPACE,
    path="workspace",
    subjects={Person.USER: "user"},
    personal={"user": Rule.OWN, "name": Rule.OWN, "args": Rule.OWN},
    not_personal=("kind", "spec", "time_zone"),
    is_private=True,
)
declare(
    PeriodicTurn,
    ASSISTANTS,
    keep_days(90, "started_at"),
    path="workspace",
    subjects={Person.USER: "task__user"},
    personal={"text": Rule.OWN},
    is_private=True,
)
