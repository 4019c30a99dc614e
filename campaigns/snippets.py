"""Saved pieces of text: templates, sets of hashtags, signatures."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit
from accounts.access import Actor, Perm
from campaigns.models import Snippet
from lib.clock import now
from lib.text import storable


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
    with transaction.atomic():
        snippet.full_clean(exclude=["workspace"])
        snippet.save(force_insert=True)
        audit.record("snippet.create", snippet, by=by, name=snippet.name)
    return snippet


def update_snippet(snippet: Snippet, *, by: Actor, kind: str, name: str, text: str) -> Snippet:
    by.require(Perm.CONTENT_EDIT)
    snippet.kind, snippet.name, snippet.text, snippet.updated_at = kind, _name(name), storable(text), now()
    with transaction.atomic():
        snippet.full_clean(exclude=["workspace"])
        snippet.save(update_fields=["kind", "name", "text", "updated_at"])
        audit.record("snippet.update", snippet, by=by, name=snippet.name)
    return snippet


def delete_snippet(snippet: Snippet, *, by: Actor) -> None:
    by.require(Perm.CONTENT_EDIT)
    with transaction.atomic():
        audit.record("snippet.delete", snippet, by=by, name=snippet.name)
        snippet.delete()


def _name(name: str) -> str:
    return " ".join(storable(name).split())
