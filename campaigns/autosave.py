"""What is typed and not saved yet, kept per person and post until it is saved."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.access import Actor, Perm
from accounts.scope import all_workspaces_scope
from campaigns.forms_post import PostForm, read_form
from campaigns.models import ComposerDraft, Post
from lib.clock import now
from lib.text import storable

KEEP_FOR = timedelta(days=30)
# Of one person in one workspace.
MAX_KEPT = 100
# What is about the page and not about the post.
LEFT_OUT = {"csrfmiddlewaretoken", "action", "library", "library_query", "seen", "force", "draft_of"}


class KeptElsewhere(Exception):
    """Another tab kept something later than this one has seen."""

    def __init__(self, kept: ComposerDraft) -> None:
        super().__init__("This post is open in another tab too, and that one was typed in later.")
        self.kept = kept


def keep_draft(
    post_id: UUID, fields: Mapping[str, list[str]], *, by: Actor, seen: str, is_forced: bool = False
) -> ComposerDraft:
    """`seen` is the version this tab knows ("" for none); another one is overwritten only when forced."""
    by.require(Perm.CONTENT_EDIT)
    data = {name: [storable(value) for value in values] for name, values in fields.items() if name not in LEFT_OUT}
    with transaction.atomic():
        row, is_new = (
            _own(by)
            .select_for_update(no_key=True)
            .get_or_create(workspace=by.workspace, user=by.user, post_id=post_id, defaults={"data": data})
        )
        if is_new:
            _drop_surplus(by)
            return row
        if version_of(row) != seen and row.data != data and not is_forced:
            raise KeptElsewhere(row)
        row.data, row.updated_at = data, now()
        row.save(update_fields=["data", "updated_at"])
    return row


def _drop_surplus(by: Actor) -> None:
    surplus = _own(by).order_by("-updated_at").values_list("pk", flat=True)[MAX_KEPT:]
    _own(by).filter(pk__in=list(surplus)).delete()


def version_of(kept: ComposerDraft) -> str:
    return kept.updated_at.isoformat()


def draft_for(by: Actor, post_id: UUID) -> ComposerDraft | None:
    return _own(by).filter(post_id=post_id).first()


def newest_new_draft(by: Actor) -> ComposerDraft | None:
    """Of a post that was never saved, or is deleted since."""
    saved = Post.objects.filter(workspace=by.workspace)
    rows = _own(by).exclude(post_id__in=saved.values("pk")).order_by("-updated_at")[:10]
    return next((row for row in rows if not form_from(row).is_empty), None)


def form_from(kept: ComposerDraft) -> PostForm:
    data = QueryDict(mutable=True)
    for name, values in kept.data.items():
        data.setlist(name, values)
    return read_form(data)


def drop_draft(by: Actor, post_id: UUID) -> None:
    _own(by).filter(post_id=post_id).delete()


def forget_old_drafts() -> int:
    with all_workspaces_scope("forget unsaved drafts after 30 days"):
        return ComposerDraft.objects.filter(updated_at__lt=now() - KEEP_FOR).delete()[0]


def _own(by: Actor) -> QuerySet[ComposerDraft, Any]:
    return ComposerDraft.objects.filter(workspace=by.workspace, user=by.user)
