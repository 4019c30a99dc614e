"""/api/campaigns/{id}/guests: who of the guests may decide on its posts."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.models import User
from accounts.rest import WorkspaceView
from campaigns.access import get_campaign
from campaigns.api.answers import Data, valid
from campaigns.campaign_queries import guests_of
from campaigns.guest_reviews import deciding_guests, set_guest_reviews


class GuestInput(serializers.Serializer[Any]):
    may_decide = serializers.BooleanField(help_text="Approve, ask for changes and put on hold what waits here.")


class GuestAnswer(GuestInput):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField(allow_blank=True)


class GuestListAnswer(serializers.Serializer[Any]):
    results = GuestAnswer(many=True)


def guest_data(guest: User, *, may: bool) -> Data:
    return {"id": guest.pk, "email": guest.email, "name": guest.name, "may_decide": may}


class GuestListView(WorkspaceView):
    @extend_schema(
        operation_id="campaign_guests",
        tags=["campaigns"],
        summary="The guests who see a campaign, and who of them decides",
        responses=GuestListAnswer,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        campaign = get_campaign(self.actor, campaign_id)
        self.actor.require(Perm.MEMBERS)
        deciding = deciding_guests(campaign)
        return Response({"results": [guest_data(guest, may=guest.pk in deciding) for guest in guests_of(campaign)]})


class GuestView(WorkspaceView):
    @extend_schema(
        operation_id="campaign_guest",
        tags=["campaigns"],
        summary="Let a guest decide on its posts, or only look",
        request=GuestInput,
        responses=GuestAnswer,
    )
    def put(self, request: Request, campaign_id: UUID, user_id: UUID) -> Response:
        campaign = get_campaign(self.actor, campaign_id)
        self.actor.require(Perm.REVIEW)
        self.actor.require(Perm.MEMBERS)
        guest = guests_of(campaign).filter(pk=user_id).first()
        if guest is None:
            raise Http404("No such guest.")
        may = valid(GuestInput(data=request.data))["may_decide"]
        set_guest_reviews(campaign, guest, may=may, by=self.actor)
        return Response(guest_data(guest, may=may))
