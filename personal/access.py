"""Loading what is a person's own: 404 to everybody else."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from accounts.access import Actor, Perm
from accounts.models import User
from personal.models import Brief, Watch

NOBODY = "This belongs to a person: log in, or use a key that a person made."


def person_of(by: Actor) -> User:
    by.require(Perm.VIEW)
    if by.user is None:
        raise PermissionDenied(NOBODY)
    return by.user


def require_self(by: Actor, user_id: UUID) -> User:
    """The caller, where the id is theirs."""
    if by.user is None or by.user.pk != user_id:
        raise Http404
    return person_of(by)


def visible_watches(by: Actor) -> QuerySet[Watch]:
    return Watch.objects.select_related("value").filter(workspace=by.workspace, user=person_of(by))


def get_watch(by: Actor, watch_id: UUID) -> Watch:
    watch = visible_watches(by).filter(pk=watch_id).first()
    if watch is None:
        raise Http404
    return watch


def visible_briefs(by: Actor) -> QuerySet[Brief]:
    return Brief.objects.filter(workspace=by.workspace, user=person_of(by))


def get_brief(by: Actor, brief_id: UUID) -> Brief:
    brief = visible_briefs(by).filter(pk=brief_id).first()
    if brief is None:
        raise Http404
    return brief
