"""/api/links, /api/conversions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import WorkspaceView
from analytics.models import Conversion, Link
from analytics.tracking import conversions, domains, links
from analytics.tracking.link_counts import DAYS, clicks_of
from campaigns.access import get_campaign
from lib.clock import now

MOST = 1000
LINK = OpenApiExample(
    "A link of one's own code", {"target": "https://acme.example/beans", "code": "beans"}, request_only=True
)
SALE = OpenApiExample(
    "A sale",
    {
        "conversions": [
            {
                "key": "order-1001",
                "goal": "purchase",
                "at": "2026-03-10T12:00:00Z",
                "value": "49.90",
                "click": "0195c0f3-7a00-7c11-9d6e-2f3b8a41c0de",
            }
        ]
    },
    request_only=True,
)


class ShortLinkInput(serializers.Serializer[Any]):
    target = serializers.CharField(max_length=2000, help_text="Where it leads.")
    title = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    code = serializers.CharField(max_length=24, required=False, default="", allow_blank=True)
    campaign = serializers.UUIDField(required=False, allow_null=True, default=None)
    domain = serializers.UUIDField(required=False, allow_null=True, default=None)
    utm = serializers.BooleanField(required=False, default=True, help_text="Add the UTM parameters of the template.")


class ShortLinkChange(serializers.Serializer[Any]):
    target = serializers.CharField(max_length=2000, required=False)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class ShortLinkAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    url = serializers.URLField(help_text="The address to publish.")
    target = serializers.CharField()
    title = serializers.CharField()
    campaign = serializers.UUIDField(allow_null=True)
    post = serializers.UUIDField(allow_null=True)
    is_active = serializers.BooleanField()
    is_split = serializers.BooleanField(help_text="An experiment sends its visitors to several addresses.")
    created_at = serializers.DateTimeField()


class ShortLinkCounts(ShortLinkAnswer):
    clicks = serializers.IntegerField(help_text=f"Of people, in the last {DAYS} days.")
    bot_clicks = serializers.IntegerField()
    visitors = serializers.IntegerField(help_text="Different people of each day, added up.")


def link_data(link: Link) -> Data:
    return {
        **{name: getattr(link, name) for name in ("id", "code", "target", "title", "is_active", "created_at")},
        "url": links.address_of(link),
        "campaign": link.campaign_id,
        "post": link.post_id,
        "is_split": bool(link.split),
    }


class LinkListView(ListView):
    @extend_schema(
        operation_id="links", tags=["links"], summary="Short links, newest first", responses=ShortLinkAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        return page_of(self, links.visible_links(self.actor), link_data)

    @extend_schema(
        operation_id="link_create",
        tags=["links"],
        summary="Make a short link",
        request=ShortLinkInput,
        responses={201: ShortLinkAnswer},
        examples=[LINK],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ShortLinkInput(data=request.data))
        campaign = get_campaign(self.actor, data["campaign"]) if data["campaign"] else None
        domain = domains.get_domain(self.actor, data["domain"]) if data["domain"] else None
        link = links.create_link(
            data["target"],
            by=self.actor,
            campaign=campaign,
            domain=domain,
            code=data["code"],
            title=data["title"],
            utm=data["utm"],
        )
        return Response(link_data(link), status=201)


class LinkView(WorkspaceView):
    @extend_schema(
        operation_id="link", tags=["links"], summary="A short link with its clicks", responses=ShortLinkCounts
    )
    def get(self, request: Request, link_id: UUID) -> Response:
        link = links.get_link(self.actor, link_id)
        counted = clicks_of(self.actor.workspace, now() - timedelta(days=DAYS), now(), link=link)[link.pk]
        return Response(link_data(link) | counted._asdict())

    @extend_schema(
        operation_id="link_change",
        tags=["links"],
        summary="Rename, lead elsewhere, or switch off",
        request=ShortLinkChange,
        responses=ShortLinkAnswer,
    )
    def patch(self, request: Request, link_id: UUID) -> Response:
        link = links.get_link(self.actor, link_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ShortLinkChange(data=request.data))
        return Response(link_data(links.change_link(link, by=self.actor, **data)))


class ConversionInput(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=120, help_text="Names this conversion and no other: the order's number.")
    goal = serializers.CharField(max_length=60, required=False, default="purchase")
    at = serializers.DateTimeField(
        required=False, default=None, allow_null=True, help_text="Now, where it is left out."
    )
    value = serializers.DecimalField(
        max_digits=16,
        decimal_places=6,
        required=False,
        default=Decimal(0),
        help_text="In the workspace's currency. A refund is a conversion of its own with a negative value.",
    )
    click = serializers.CharField(
        max_length=64, required=False, default="", allow_blank=True, help_text="`rcid` of the landing page's address."
    )
    visitor = serializers.CharField(max_length=32, required=False, default="", allow_blank=True)
    data = serializers.DictField(  # type: ignore[assignment]
        required=False, default=dict, help_text="Whatever you want to keep with it."
    )


class ConversionsInput(serializers.Serializer[Any]):
    conversions = ConversionInput(many=True, allow_empty=False, max_length=MOST)  # type: ignore[call-arg]


class ConversionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField()
    goal = serializers.CharField()
    at = serializers.DateTimeField()
    value = serializers.DecimalField(max_digits=16, decimal_places=6)
    click = serializers.UUIDField(allow_null=True, help_text="The click it is counted for.")
    campaign = serializers.UUIDField(allow_null=True)
    link = serializers.UUIDField(allow_null=True)
    arm = serializers.CharField()


class ConversionsAnswer(serializers.Serializer[Any]):
    conversions = ConversionAnswer(many=True)


def conversion_data(row: Conversion) -> Data:
    return {
        **{name: getattr(row, name) for name in ("id", "key", "goal", "at", "arm")},
        "value": str((Decimal(row.value_micro) / conversions.MICRO).quantize(Decimal("0.000001"))),
        "click": row.click_id,
        "campaign": row.campaign_id,
        "link": row.link_id,
    }


class ConversionsView(WorkspaceView):
    @extend_schema(
        operation_id="conversions_book",
        tags=["conversions"],
        summary="Tell conversions, all or none of them",
        description="A key that is known with the same data gets the same answer; with other data it is a 409.",
        request=ConversionsInput,
        responses=ConversionsAnswer,
        examples=[SALE],
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        # One conversion may come bare, as shops' webhooks send it.
        is_list = isinstance(request.data, dict) and "conversions" in request.data
        body = request.data if is_list else {"conversions": [request.data]}
        rows = valid(ConversionsInput(data=body))["conversions"]
        wanted = [_wanted(number, row) for number, row in enumerate(rows)]
        booked = conversions.book_all(self.actor.workspace, wanted, source=Conversion.Source.SERVER)
        return Response({"conversions": [conversion_data(row) for row, _ in booked]})


def _wanted(number: int, row: Data) -> conversions.Wanted:
    wanted = conversions.Wanted(
        key=row["key"],
        goal=row["goal"],
        at=row["at"],
        value_micro=int(row["value"] * conversions.MICRO),
        click_id=conversions.read_click(row["click"]),
        visitor=row["visitor"],
        data=dict(row["data"]),
    )
    try:
        return conversions.clean(wanted)
    except ValidationError as error:
        raise serializers.ValidationError({"conversions": {str(number): error.message_dict}}) from error
