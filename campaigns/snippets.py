"""Saved pieces of text: templates, sets of hashtags, signatures."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.models import Snippet
from lib.clock import now
from lib.text import storable

# A model does not enforce the length of a TextField.
MAX_TEXT = 5_000


def visible_snippets(actor: Actor) -> QuerySet[Snippet]:
    actor.require(Perm.VIEW)
    return Snippet.objects.filter(workspace=actor.workspace)


def get_snippet(actor: Actor, snippet_id: UUID) -> Snippet:
    snippet = visible_snippets(actor).filter(pk=snippet_id).first()
    if snippet is None:
        raise Http404("Not found.")
    return snippet


def create_snippet(*, by: Actor, kind: str, name: str, text: str) -> Snippet:
    by.require(Perm.CONTENT_EDIT)
    snippet = Snippet(workspace=by.workspace, kind=kind, name=_name(name), text=storable(text), created_by=by.user)
    _check(snippet)
    with _once(), transaction.atomic():
        snippet.save(force_insert=True)
        audit.record("snippet.create", snippet, by=by, name=snippet.name)
    return snippet


def update_snippet(snippet: Snippet, *, by: Actor, kind: str, name: str, text: str) -> Snippet:
    by.require(Perm.CONTENT_EDIT)
    snippet.kind, snippet.name, snippet.text, snippet.updated_at = kind, _name(name), storable(text), now()
    _check(snippet)
    with _once(), transaction.atomic():
        snippet.save(update_fields=["kind", "name", "text", "updated_at"])
        audit.record("snippet.update", snippet, by=by, name=snippet.name)
    return snippet


def delete_snippet(snippet: Snippet, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("snippet.delete", snippet, by=by, name=snippet.name)
        snippet.delete()


def _check(snippet: Snippet) -> None:
    snippet.full_clean(exclude=["workspace"])
    if len(snippet.text) > MAX_TEXT:
        raise ValidationError({"text": f"At most {MAX_TEXT:,} characters; this has {len(snippet.text):,}."})


@contextmanager
def _once() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ValidationError({"name": "There is one of this name already. Choose another name."}) from error


def _name(name: str) -> str:
    return " ".join(storable(name).split())
