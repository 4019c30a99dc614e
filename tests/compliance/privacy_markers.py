"""Seeds a person into every personal field that the inventory declares, and looks for what is left of them anywhere."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import AutoField, BigAutoField, BooleanField, Field, ForeignKey, IntegerField, JSONField, Model

from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.inventory import INVENTORY, Declaration, Person, Rule
from accounts.models import AuditDetail, AuditEntry, AuditHead, Membership, User, Workspace
from accounts.scope import all_workspaces_scope
from compliance.models import Contact
from tests.accounts.test_tenancy import filler

# Made by their own services, in the test.
BY_SERVICES = {AuditEntry, AuditDetail, AuditHead, Session, Workspace, User, Membership, Contact}
# One per workspace.
SINGLE = {"accounts.ServiceTenant", "agents.AISettings", "compliance.GuardSettings"}
# Where the id alone may stand: it is what a restored backup is corrected by.
IDS_MAY_STAY = ["subject_id"]


@dataclass
class Marked:
    """A person whose every trace holds the token."""

    token: str
    user: User | None = None
    contact: Contact | None = None
    number: int = 0

    @property
    def email(self) -> str:
        return f"{self.token}@example.org"

    @property
    def name(self) -> str:
        return f"Q{self.token} Z{self.token}"

    @property
    def id(self) -> str:
        return str((self.user or self.contact).pk)

    @property
    def words(self) -> list[str]:
        return [self.token, self.id, *([str(self.number)] if self.number else [])]


def mark_user(token: str, workspace: Workspace, number: int) -> Marked:
    marked = Marked(token, number=number)
    marked.user = User.objects.create_user(marked.email, "correct horse battery", name=marked.name)
    Membership.objects.create(user=marked.user, workspace=workspace, role="editor")
    return marked


def mark_contact(token: str, workspace: Workspace) -> Marked:
    marked = Marked(token)
    marked.contact = Contact.objects.create(
        workspace=workspace,
        name=marked.name,
        email=marked.email,
        handle=f"@{token}h",
        remote_id=f"{token}id",
        notes=f"Met {marked.name}.",
    )
    return marked


# --- seeding ------------------------------------------------------------------------------------------------


def seed(marked: Marked, workspace: Workspace) -> dict[str, Any]:
    """One row of every model with personal data, that belongs to the person or names them; its key, by model."""
    found = {}
    for declaration in INVENTORY.values():
        if declaration.model in BY_SERVICES or not declaration.personal:
            continue
        if marked.contact and (Person.USER in declaration.subjects or not declaration.path):
            continue
        if declaration.label in SINGLE and declaration.model.objects.filter(workspace=workspace).exists():
            continue
        row = build(declaration.model, workspace, **values_of(declaration, marked, workspace))
        # Past the checks of a package's own `save`.
        declaration.model._base_manager.bulk_create([row])
        found[declaration.label] = row.pk
    _record(marked, workspace)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return found


def build(model: type[Model], workspace: Workspace, **values: Any) -> Model:
    """A row that is not saved; what it cannot be without is made and saved."""
    for field in model._meta.concrete_fields:
        is_given = field.name in values or field.attname in values
        if is_given or isinstance(field, AutoField | BigAutoField):
            continue
        if field.name == "workspace":
            values["workspace"] = workspace
        elif isinstance(field, ForeignKey):
            values[field.name] = None if field.null else _parent(field, workspace)
        else:
            values[field.attname] = [] if isinstance(field, ArrayField) else filler(field)
    return model(**values)


def _parent(field: ForeignKey, workspace: Workspace) -> Model:
    if field.related_model in {ContentType, Permission}:
        return field.related_model.objects.first()
    row = build(field.related_model, workspace)
    row.save(force_insert=True)
    return row


def _record(marked: Marked, workspace: Workspace) -> None:
    """A decision of theirs, one about them, and one of staff."""
    theirs: Actor = system_actor(workspace, marked.email, {Perm.VIEW})
    audit.record("member.role", workspace, by=theirs, after="editor")
    audit.record("member.invite", workspace, by=system_actor(workspace, "somebody", set()), email=marked.email)
    if marked.user:
        audit.record_staff("staff.change", workspace, staff="staff@example.org", name=marked.name, email=marked.email)


def values_of(declaration: Declaration, marked: Marked, workspace: Workspace) -> dict[str, Any]:
    values: dict[str, Any] = {}
    is_theirs = (Person.USER if marked.user else Person.CONTACT) in declaration.subjects
    for name, rule in declaration.personal.items():
        field = declaration.model._meta.get_field(name)
        if field.is_relation:
            values |= _reference(field, marked)
        elif rule != Rule.OWN or is_theirs:
            values[name] = _value(field, rule, marked)
            if rule == Rule.LABEL and not declaration.path and not isinstance(field, IntegerField):
                # Of the installation: there only what is beyond doubt counts.
                values[name] = marked.id
    return values | _numbers(declaration, marked) | _through(declaration, marked, workspace)


def _through(declaration: Declaration, marked: Marked, workspace: Workspace) -> dict[str, Any]:
    """Where a row is the person's through another one, that one is made theirs."""
    name, _, rest = declaration.subjects.get(Person.USER, "").partition("__")
    if rest != "user" or not marked.user:
        return {}
    parent = build(declaration.model._meta.get_field(name).related_model, workspace, user=marked.user)
    parent.save(force_insert=True)
    return {name: parent}


def _reference(field: Any, marked: Marked) -> dict[str, Any]:
    label = field.related_model._meta.label
    if label == "accounts.User" and marked.user:
        return {field.name: marked.user}
    if label == "compliance.Contact" and marked.contact:
        return {field.name: marked.contact}
    if label == "account.EmailAddress" and marked.user:
        return {field.name: marked.user.emailaddress_set.first()}
    if label == "socialaccount.SocialAccount" and marked.user:
        return {field.name: marked.user.socialaccount_set.first()}
    return {}


def _numbers(declaration: Declaration, marked: Marked) -> dict[str, Any]:
    fields = {f.name for f in declaration.model._meta.fields}
    return {"telegram_user_id": marked.number} if "telegram_user_id" in fields else {}


def _value(field: Field, rule: Rule, marked: Marked) -> Any:
    if isinstance(field, BooleanField):
        return False
    if isinstance(field, IntegerField):
        return marked.number
    if rule == Rule.DROP:
        return [marked.id, str(uuid.uuid4())]
    if isinstance(field, JSONField):
        number = {"from": {"id": marked.number}} if marked.number else {}
        return {"by": marked.email, "all": [marked.name, f"by {marked.id}."], marked.email: 1, **number}
    return _text(field, rule, marked)


def _text(field: Field, rule: Rule, marked: Marked) -> str:
    limit = field.max_length or 1000
    if rule == Rule.LABEL:
        return marked.email if "email" in field.name or limit < 60 else marked.name
    if rule == Rule.OWN:
        return f"{marked.token}-{field.name}"[:limit]
    text = f"Ask {marked.email}, or {marked.name}: it is {marked.id}."
    return text if len(text) <= limit else marked.email


# --- looking ------------------------------------------------------------------------------------------------


def residue_in_database(marked: Marked) -> dict[str, int]:
    """Rows that still hold a word of the person, by table: whatever the type of the column."""
    found = {}
    with all_workspaces_scope("search for markers"), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE (to_jsonb(t) - %s::text[])::text ILIKE ANY(%s)',
                [IDS_MAY_STAY, [f"%{word}%" for word in marked.words]],
            )
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def residue_in_files(marked: Marked) -> list[str]:
    words = [word.encode() for word in marked.words]
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    return [str(path) for path in files if any(word in path.read_bytes() + str(path).encode() for word in words)]


def residue_in_cache(marked: Marked) -> list[bytes]:
    client, words = redis.Redis.from_url(settings.REDIS_URL), [word.encode() for word in marked.words]
    values = {key: client.get(key) if client.type(key) == b"string" else b"" for key in client.scan_iter()}
    return [key for key, value in values.items() if any(word in key or word in (value or b"") for word in words)]


def rows_of(seeded: dict[str, Any]) -> dict[str, str]:
    """What the seeded rows say, to be held against what they say later."""
    found = {}
    with all_workspaces_scope("look at rows"):
        for label, pk in seeded.items():
            model: type[Model] = next(d.model for d in INVENTORY.values() if d.label == label)
            row = model._base_manager.filter(pk=pk).values().first()
            found[label] = json.dumps(row, default=str, sort_keys=True)
    return found
