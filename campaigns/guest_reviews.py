"""Guests who may decide: on what waits in campaigns that were shared with them for that, and nothing else."""

from dataclasses import replace
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Membership, Notification, Role, User
from campaigns.access import VIEW_CAMPAIGN, visible_campaigns
from campaigns.models import Campaign, Post
from campaigns.review_queries import KINDS, in_queue
from compliance.models import Review

# A guest changes nothing in a campaign but the state of its reviews.
DECIDE = "campaigns.change_campaign"


def set_guest_reviews(campaign: Campaign, user: User, *, may: bool, by: Actor) -> None:
    """Let a guest of the campaign decide on its posts, or stop it."""
    by.require(Perm.REVIEW)
    by.require(Perm.MEMBERS)
    if may and not (_is_guest(user, campaign) and user.has_perm(VIEW_CAMPAIGN, campaign)):
        raise ValidationError("Share the campaign with them first.")
    with transaction.atomic():
        (assign_perm if may else remove_perm)(DECIDE, user, campaign)
        audit.record("campaign.guest_reviews", campaign, by=by, guest=user.email, may=may)


def _is_guest(user: User, campaign: Campaign) -> bool:
    return Membership.objects.filter(user=user, workspace=campaign.workspace_id, role=Role.GUEST).exists()


def deciding_guests(campaign: Campaign) -> set[UUID]:
    """Ids of those who may decide, and still see the campaign."""
    found = UserObjectPermission.objects.filter(object_pk=str(campaign.pk), content_type__app_label="campaigns")
    by_name = {
        name: set(found.filter(permission__codename=name).values_list("user_id", flat=True))
        for name in (DECIDE.partition(".")[2], VIEW_CAMPAIGN.partition(".")[2])
    }
    members = Membership.objects.filter(workspace=campaign.workspace_id, role=Role.GUEST)
    return set.intersection(*by_name.values()) & set(members.values_list("user_id", flat=True))


def campaigns_to_decide(actor: Actor) -> QuerySet[Campaign]:
    if not actor.is_guest or actor.user is None:
        return Campaign.objects.none()
    return get_objects_for_user(actor.user, DECIDE, visible_campaigns(actor), accept_global_perms=False)


def reviews_for_guest(actor: Actor) -> QuerySet[Review]:
    """What waits for them. Raises PermissionDenied where nothing was ever given to them to decide."""
    if not campaigns_to_decide(actor).exists():
        raise PermissionDenied("Nothing was shared with you for approval.")
    return _waiting(actor)


def get_guest_review(actor: Actor, review_id: UUID) -> Review:
    review = _waiting(actor).filter(pk=review_id).first()
    if review is None:
        raise Http404("No such review.")
    return review


def _waiting(actor: Actor) -> QuerySet[Review]:
    campaigns = list(campaigns_to_decide(actor).values_list("pk", flat=True))
    rows = Review.objects.filter(workspace=actor.workspace, kind__in=KINDS, status=Review.Status.WAITING)
    return in_queue(rows.filter(scopes__overlap=campaigns))


def as_reviewer(actor: Actor) -> Actor:
    """The guest with the one right that the grant gives; ask only for reviews of `reviews_for_guest`."""
    return replace(actor, perms=frozenset({Perm.REVIEW}))


def tell_guests(post: Post) -> None:
    """Something new waits for those who decide in its campaign."""
    if post.campaign is None:
        return
    Notification.objects.bulk_create(
        Notification(
            workspace=post.workspace,
            user_id=user_id,
            kind="review.requested",
            text=f"“{post}” waits for your approval."[:300],
            path="/reviews",
            is_alert=True,
        )
        for user_id in deciding_guests(post.campaign)
    )
