"""By what a person can be recognised in other people's rows, and how that is taken out of a text."""

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
# Of two characters are common words and brands too.
SHORTEST_HAN = 2


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

    def finder(self, workspace_id: UUID | None = None, *, is_certain: bool = False) -> "Finder":
        """What counts in a row of this workspace; all of it where the row is certainly about them."""
        counts = is_certain or workspace_id in self.name_workspaces
        return Finder(self.strong, self.names if counts else ())

    @property
    def all(self) -> frozenset[str]:
        return self.strong | self.names

    @property
    def telling(self) -> frozenset[str]:
        """Without the names that are words as well."""
        return self.strong | frozenset(filter(_is_telling, self.names))


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
    return len(name) >= SHORTEST_HAN and all("\u4e00" <= letter <= "\u9fff" for letter in name)


# --- taking them out ----------------------------------------------------------------------------------------


def _is_telling(name: str) -> bool:
    """Will, Rose and 高兴 stand in texts that mean nobody; Will Rose does not."""
    return " " in name or (_is_han(name) and len(name) > SHORTEST_HAN)


class Finder:
    """Finds each trace as a word of its own: ann@example.org is not joann@example.org, nor ann@example.org.uk.

    A name that is a word as well counts only where it is all that is said.
    """

    def __init__(self, strong: Iterable[str], names: Iterable[str] = ()) -> None:
        names = frozenset(names)
        self._alone = frozenset(name.casefold() for name in names)
        # An address is the same however it is written; a name is not the words it is made of.
        parts = [f"(?i:{_any_of(strong)})", _any_of(filter(_is_telling, names))]
        self._inside = re.compile(
            rf"(?<![A-Za-z0-9])(?<![A-Za-z0-9][._+-])(?:{'|'.join(parts)})(?![A-Za-z0-9]|[._+@-][A-Za-z0-9])"
        )

    def replace(self, text: str) -> str:
        return ERASED if self._is_alone(text) else self._inside.sub(ERASED, text)

    def finds(self, text: str) -> bool:
        return self._is_alone(text) or self._inside.search(text) is not None

    def _is_alone(self, text: str) -> bool:
        return text.strip().lstrip("@").casefold() in self._alone


def _any_of(traces: Iterable[str]) -> str:
    longest_first = sorted(traces, key=len, reverse=True)
    return "|".join(re.escape(trace) for trace in longest_first) or r"(?!)"


def without(value: Any, finder: Finder) -> Any:
    """The text or JSON value with every trace replaced; numbers and the keys of objects too."""
    if isinstance(value, str):
        return finder.replace(value)
    if isinstance(value, list):
        return [without(item, finder) for item in value]
    if isinstance(value, dict):
        return {finder.replace(key): without(item, finder) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and finder.finds(str(value)):
        return ERASED
    return value


def stands_in(value: Any, finder: Finder) -> bool:
    """Whether `without` would change anything; other values than JSON's count as they are written."""
    if isinstance(value, list | tuple):
        return any(stands_in(item, finder) for item in value)
    if isinstance(value, dict):
        return any(finder.finds(str(key)) or stands_in(item, finder) for key, item in value.items())
    return value is not None and not isinstance(value, bool | float) and finder.finds(str(value))
