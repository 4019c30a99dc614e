"""By what a person can be recognised in other people's rows, and how that is taken out of a text."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.inventory import INVENTORY, Person
from accounts.models import AuditDetail, Membership, User
from accounts.scope import all_workspaces_scope
from compliance.models import Contact

ERASED = "[erased]"
# Shorter names stand in too many texts that mean somebody or something else.
SHORTEST_NAME = 3


@dataclass(frozen=True)
class Traces:
    person: Person
    pk: UUID
    # Unmistakable, wherever it stands: addresses, ids.
    strong: frozenset[str]
    # A name: only in these workspaces, where nobody else bears it.
    names: frozenset[str]
    name_workspaces: frozenset[UUID]
    numbers: frozenset[int] = frozenset()
    # A contact is known in one workspace; an account everywhere.
    workspace_id: UUID | None = None

    def known_in(self, workspace_id: UUID | None) -> frozenset[str]:
        return self.strong | self.names if workspace_id in self.name_workspaces else self.strong

    @property
    def all(self) -> frozenset[str]:
        return self.strong | self.names


def traces_of_user(user: User) -> Traces:
    with all_workspaces_scope("find what names a person"):
        strong, names, numbers = _collect(Person.USER, user.pk)
        workspaces = {*Membership.objects.filter(user=user).values_list("workspace_id", flat=True)}
        # Where they were a member before, the trail still says so.
        workspaces |= {*AuditDetail.objects.filter(actor=user.email).values_list("workspace_id", flat=True)} - {None}
    # Where another member has the name, it says nothing about this one.
    namesakes = Membership.objects.exclude(user=user).filter(user__name__in=names)
    unclear = {*namesakes.values_list("workspace_id", flat=True)}
    return Traces(Person.USER, user.pk, strong, names, frozenset(workspaces - unclear), numbers)


def traces_of_contact(contact: Contact) -> Traces:
    with all_workspaces_scope("find what names a contact"):
        strong, names, _ = _collect(Person.CONTACT, contact.pk)
        others = Contact.objects.filter(workspace=contact.workspace_id).exclude(pk=contact.pk)
        is_shared = others.filter(name__in=names).exists()
        is_shared |= Membership.objects.filter(workspace=contact.workspace_id, user__name__in=names).exists()
    workspaces = frozenset(() if is_shared else (contact.workspace_id,))
    return Traces(Person.CONTACT, contact.pk, strong, names, workspaces, workspace_id=contact.workspace_id)


def _collect(person: Person, pk: UUID) -> tuple[frozenset[str], frozenset[str], frozenset[int]]:
    """From the rows that are theirs: what is theirs beyond doubt, their names, and their numbers."""
    strong: set[str] = set()
    names: set[str] = set()
    numbers: set[int] = set()
    for declaration in INVENTORY.values():
        if person not in declaration.subjects or not (declaration.known_by or declaration.named_by):
            continue
        for row in declaration.model._base_manager.filter(**{declaration.subjects[person]: pk}):
            known = [getattr(row, name) for name in declaration.known_by]
            numbers |= {value for value in known if isinstance(value, int)}
            strong |= {str(value) for value in known if value}
            names |= {str(getattr(row, name)).strip().lstrip("@") for name in declaration.named_by}
    return (
        frozenset(text for text in strong if len(text) >= SHORTEST_NAME),
        frozenset(name for name in names if len(name) >= SHORTEST_NAME or _is_han(name)),
        frozenset(numbers),
    )


def _is_han(name: str) -> bool:
    return len(name) >= 2 and all("\u4e00" <= letter <= "\u9fff" for letter in name)


# --- taking them out ----------------------------------------------------------------------------------------


def pattern_of(traces: Iterable[str]) -> re.Pattern[str]:
    """Each trace as a word of its own: ann@example.org is not joann@example.org, nor ann@example.org.uk."""
    longest_first = sorted(traces, key=len, reverse=True)
    words = "|".join(re.escape(trace) for trace in longest_first) or r"(?!)"
    return re.compile(
        rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9][._+-])(?:{words})(?![A-Za-z0-9]|[._+@-][A-Za-z0-9])", re.IGNORECASE
    )


def without(value: Any, pattern: re.Pattern[str], put: str = ERASED) -> Any:
    """The text or JSON value with every trace replaced; numbers and the keys of objects too."""
    if isinstance(value, str):
        return pattern.sub(put, value)
    if isinstance(value, list):
        return [without(item, pattern, put) for item in value]
    if isinstance(value, dict):
        return {pattern.sub(put, key): without(item, pattern, put) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and pattern.fullmatch(str(value)):
        return put
    return value


def stands_in(value: Any, pattern: re.Pattern[str]) -> bool:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return pattern.search(text) is not None
