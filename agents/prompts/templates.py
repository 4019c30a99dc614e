"""The library of templates: those the product ships, and a workspace's own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from agents.models import PromptTemplate
from agents.prompts.errors import PromptConflict
from agents.prompts.library import Template, shipped_templates
from agents.prompts.syntax import names_in
from agents.prompts.validation import validate_prompt
from lib.text import one_line, storable

MAX_OWN = 200


def visible_templates(actor: Actor) -> QuerySet[PromptTemplate]:
    actor.require(Perm.VIEW)
    return PromptTemplate.objects.filter(workspace=actor.workspace)


def get_template(actor: Actor, template_id: UUID) -> PromptTemplate:
    row = visible_templates(actor).filter(pk=template_id).first()
    if row is None:
        raise Http404("Not found.")
    return row


def find_templates(actor: Actor, *, industry: str = "", language: str = "", words: str = "") -> list[Template]:
    """The workspace's own first; `words` must all stand somewhere in one."""
    rows = [*map(as_template, visible_templates(actor)), *shipped_templates().values()]
    wanted = words.casefold().split()
    return [
        row for row in rows if industry in {"", row.industry} and language in {"", row.language} and _says(row, wanted)
    ]


def find_template(actor: Actor, key: str) -> Template:
    """By the key of a shipped one, or the id of one's own."""
    shipped = shipped_templates().get(key)
    if shipped:
        return shipped
    try:
        return as_template(get_template(actor, UUID(key)))
    except ValueError as error:
        raise Http404("Not found.") from error


def as_template(row: PromptTemplate) -> Template:
    variables = dict.fromkeys(names_in(row.body), "")
    return Template(str(row.pk), row.name, row.industry, row.language, "", row.body, variables, is_own=True)


def _says(row: Template, words: Iterable[str]) -> bool:
    text = f"{row.name} {row.description} {row.body}".casefold()
    return all(word in text for word in words)


def create_template(*, by: Actor, **fields: Any) -> PromptTemplate:
    by.require(Perm.CONTENT_EDIT)
    if visible_templates(by).count() >= MAX_OWN:
        raise PromptConflict(f"A workspace has at most {MAX_OWN} templates of its own. Delete one first.")
    row = PromptTemplate(workspace=by.workspace, created_by=by.user)
    return _save(row, "prompt_template.create", fields, by)


def update_template(row: PromptTemplate, *, by: Actor, **fields: Any) -> PromptTemplate:
    by.require(Perm.CONTENT_EDIT)
    return _save(row, "prompt_template.update", fields, by)


def delete_template(row: PromptTemplate, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("prompt_template.delete", row, by=by, name=row.name)
        row.delete()


def _save(row: PromptTemplate, action: str, fields: dict[str, Any], by: Actor) -> PromptTemplate:
    for name, value in fields.items():
        setattr(row, name, storable(value) if name == "body" else one_line(storable(value)))
    _check(row)
    with _once(), transaction.atomic():
        row.save()
        audit.record(action, row, by=by, name=row.name)
    return row


def _check(row: PromptTemplate) -> None:
    row.full_clean(exclude=["workspace", "created_by", "body"], validate_unique=False, validate_constraints=False)
    report = validate_prompt(row.workspace, row.body)
    if not report.is_valid:
        raise ValidationError({"body": [finding.message for finding in report.errors]})


@contextmanager
def _once() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ValidationError({"name": "There is a template of this name already."}) from error
