"""What we keep, about whom, why, on what legal ground, how long, and how it is erased: one declaration per model.

Each app declares its models in its own `inventory.py`, loaded by its `ready()`. Export, erasure, retention, the
deletion of a workspace and the public privacy page read nothing but these declarations.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from django.db.models import Field, Model

from lib.crypto import SecretField

Text = Mapping[str, str]


class Rule(StrEnum):
    """What becomes of a personal field when its person is erased."""

    # Theirs: it goes with their row.
    OWN = "own"
    # A reference to a person: emptied.
    UNLINK = "unlink"
    # Their name or address, written out: emptied. `labelled_by` names the reference that says whose it is.
    LABEL = "label"
    # Text or JSON of somebody else's in which they may stand: their part is replaced.
    MENTION = "mention"
    # A JSON list of ids: theirs is taken out.
    DROP = "drop"
    # Where they stand in one of the row's fields of this kind, all of these are emptied.
    WHOLE = "whole"
    # Where they stand in it, the row is deleted: it is passing news, worth nothing without them.
    ROW = "row"


class Person(StrEnum):
    USER = "user"
    CONTACT = "contact"


@dataclass(frozen=True)
class Keep:
    """How long rows live. `days` after `since` they are swept; without days they go with what they belong to."""

    en: str
    zh: str
    days: int | None = None
    since: str = ""

    @property
    def text(self) -> Text:
        return {"en": self.en, "zh": self.zh}


def keep_days(days: int, since: str) -> Keep:
    """A date in the past counts as well: `keep_days(0, "expires_at")`."""
    if not days:
        return Keep("until it expires", "到期即删", days, since)
    return Keep(f"{days} days", f"{days} 天", days, since)


WITH_WORKSPACE = Keep("as long as the workspace", "工作区存续期间")
WITH_ACCOUNT = Keep("as long as the account", "账户存续期间")
WITH_CONTACT = Keep("as long as the contact", "联系人存续期间")
WITH_INSTALLATION = Keep("as long as the installation", "系统存续期间")
FOREVER = Keep("always; it names nobody once a person is erased", "永久保存；个人被删除后不再含其身份")


@dataclass(frozen=True)
class Category:
    """A kind of data as the privacy page explains it: what, why, on what ground, and who else receives it."""

    key: str
    what: Text
    why: Text
    basis: Text
    recipients: Text


@dataclass(frozen=True)
class Declaration:
    model: type[Model]
    category: Category
    keep: Keep
    # The lookup from a row to its workspace's id; empty for rows of the installation.
    path: str = ""
    # The lookup from a row to the id of the person it belongs to: such a row is exported to them and goes with them.
    subjects: Mapping[Person, str] = field(default_factory=dict)
    # Fields of such a row by which the person can be recognised elsewhere: beyond doubt, or by name.
    known_by: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    personal: Mapping[str, Rule] = field(default_factory=dict)
    not_personal: tuple[str, ...] = ()
    labelled_by: Mapping[str, str] = field(default_factory=dict)
    # Fields that name objects in the archive storage, each of one person: exported and deleted with the rows.
    archived_in: tuple[str, ...] = ()
    # Never exported; encrypted fields are secret without being named.
    secret: tuple[str, ...] = ()
    # What a person gets of rows that only mention them; without it the dates and their own label.
    export: tuple[str, ...] = ()
    # Left out of a workspace's export: a member's own, or of no use elsewhere.
    is_private: bool = False
    # Its rows may not change: they are written anew instead.
    is_append_only: bool = False

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name).capitalize()

    @cached_property
    def hidden(self) -> frozenset[str]:
        encrypted = {f.name for f in self.model._meta.concrete_fields if isinstance(f, SecretField)}
        return frozenset({*self.secret, *encrypted})

    def fields(self, *rules: Rule) -> list[str]:
        return [name for name, rule in self.personal.items() if rule in rules]

    def references(self) -> Iterator[Field]:
        """Personal references to users or contacts."""
        for name in self.fields(Rule.UNLINK, Rule.OWN):
            found = self.model._meta.get_field(name)
            if isinstance(found, Field) and found.is_relation:
                yield found


INVENTORY: dict[type[Model], Declaration] = {}


def declare(model: type[Model], category: Category, keep: Keep, **facts: object) -> None:
    """Add a model. A field that does not exist, or is named twice, is an error at start."""
    declaration = Declaration(model, category, keep, **facts)  # type: ignore[arg-type]
    _check(declaration)
    INVENTORY[model] = declaration


def declare_all(category: Category, keep: Keep, *models: type[Model], **facts: object) -> None:
    for model in models:
        declare(model, category, keep, **facts)


def _check(declaration: Declaration) -> None:
    known = {f.name for f in declaration.model._meta.concrete_fields}
    named = {*declaration.personal, *declaration.not_personal, *declaration.labelled_by, *declaration.secret}
    named |= {*declaration.known_by, *declaration.named_by, *declaration.archived_in}
    if unknown := named - known:
        raise ValueError(f"{declaration.label} has no field {', '.join(sorted(unknown))}.")
    if twice := declaration.personal.keys() & set(declaration.not_personal):
        raise ValueError(f"{declaration.label} declares {', '.join(sorted(twice))} both personal and not personal.")


def of_workspaces() -> list[Declaration]:
    return [declaration for declaration in INVENTORY.values() if declaration.path]


def categories() -> list[tuple[Category, list[Declaration]]]:
    """What holds personal data, by category, in the order of declaration."""
    found: dict[str, tuple[Category, list[Declaration]]] = {}
    for declaration in INVENTORY.values():
        if declaration.personal:
            found.setdefault(declaration.category.key, (declaration.category, []))[1].append(declaration)
    return list(found.values())
