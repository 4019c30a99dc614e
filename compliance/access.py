from uuid import UUID

from django.http import Http404

from accounts.access import Actor, Perm
from compliance.models import Review


def get_review(actor: Actor, review_id: UUID) -> Review:
    actor.require(Perm.VIEW)
    review = Review.objects.filter(workspace=actor.workspace, pk=review_id).first()
    if review is None:
        raise Http404("No such review.")
    return review
