"""Who may do what: one table of permissions, asked by every door."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Role, User, Workspace


class Perm(StrEnum):
    VIEW = "view"  # read everything of the workspace
    CONTENT_EDIT = "content.edit"  # campaigns, posts, media, sources
    PUBLISH = "publish"  # schedule, publish now, pause, resolve an unconfirmed delivery
    REVIEW = "review"  # approve and reject
    CONNECTIONS = "connections.manage"
    WEBHOOKS = "webhooks.manage"  # who is told of events
    TOOLS = "tools.manage"  # what assistants may use of other people's servers
    MEMBERS = "members.manage"
    SETTINGS = "settings.manage"
    API_KEYS = "api_keys.manage"
    AUDIT = "audit.view"
    DELETE = "workspace.delete"


_VIEWER = frozenset({Perm.VIEW})
_REVIEWER = _VIEWER | {Perm.REVIEW}
_EDITOR = _VIEWER | {Perm.CONTENT_EDIT, Perm.PUBLISH}
_ADMIN = (
    _EDITOR
    | _REVIEWER
    | {
        *(Perm.CONNECTIONS, Perm.WEBHOOKS, Perm.TOOLS),
        *(Perm.MEMBERS, Perm.SETTINGS, Perm.API_KEYS, Perm.AUDIT),
    }
)
ROLE_PERMS: dict[str, frozenset[Perm]] = {
    Role.OWNER: _ADMIN | {Perm.DELETE},
    Role.ADMIN: _ADMIN,
    Role.EDITOR: _EDITOR,
    Role.REVIEWER: _REVIEWER,
    Role.VIEWER: _VIEWER,
    # A guest has no right on the workspace: only grants on single objects, kept by django-guardian.
    Role.GUEST: frozenset(),
}
# What an API key may be given; its effective rights are these, cut down to those of the person who made it.
SCOPES: dict[str, frozenset[Perm]] = {
    "read": _VIEWER,
    "write": frozenset({Perm.VIEW, Perm.CONTENT_EDIT}),
    "publish": frozenset({Perm.VIEW, Perm.PUBLISH}),
    "connections": frozenset({Perm.VIEW, Perm.CONNECTIONS}),
    "webhooks": frozenset({Perm.VIEW, Perm.WEBHOOKS}),
    "tools": frozenset({Perm.VIEW, Perm.TOOLS}),
}


@dataclass(frozen=True)
class Actor:
    """Somebody acting in a workspace: the `by` of every service."""

    workspace: Workspace
    perms: frozenset[Perm]
    label: str
    role: str = ""
    user: User | None = field(default=None, repr=False)
    api_key_id: UUID | None = None
    # A model writes in its name: what it makes carries the label.
    is_agent: bool = False

    def can(self, perm: Perm) -> bool:
        return perm in self.perms

    def require(self, perm: Perm) -> None:
        if not self.can(perm):
            raise PermissionDenied(_key_lacks(perm) if self.api_key_id else DENIED[perm])

    @property
    def is_guest(self) -> bool:
        return self.role == Role.GUEST


DENIED = {
    Perm.VIEW: "You do not have access to this workspace's content.",
    Perm.CONTENT_EDIT: "Your role cannot change content here. Ask an admin for the editor role.",
    Perm.PUBLISH: "Your role cannot schedule or publish. Ask an admin for the editor role.",
    Perm.REVIEW: "Your role cannot approve or reject. Ask an admin for the reviewer role.",
    Perm.CONNECTIONS: "Only admins can manage connections.",
    Perm.WEBHOOKS: "Only admins can manage webhooks.",
    Perm.TOOLS: "Only admins can manage outside tools.",
    Perm.MEMBERS: "Only admins can manage members.",
    Perm.SETTINGS: "Only admins can change settings.",
    Perm.API_KEYS: "Only admins can manage API keys.",
    Perm.AUDIT: "Only admins can read the audit trail.",
    Perm.DELETE: "Only the owner can delete the workspace.",
}


def _key_lacks(perm: Perm) -> str:
    scope = next((name for name, perms in SCOPES.items() if perm in perms), "")
    if not scope:
        return "No API key may do this, only a person."
    return f"This needs an API key with the scope “{scope}”, made by somebody whose role allows it."


def actor_for(membership: Membership) -> Actor:
    return Actor(
        workspace=membership.workspace,
        perms=ROLE_PERMS[membership.role],
        label=membership.user.email,
        role=membership.role,
        user=membership.user,
    )


def system_actor(workspace: Workspace, label: str, perms: Collection[Perm], *, author: User | None = None) -> Actor:
    """A policy or a background job that acts in a workspace's name; the label says which.

    `author` is the person whose content it handles: under four eyes they cannot approve it themselves.
    """
    return Actor(workspace=workspace, perms=frozenset(perms), label=label, user=author)
