"""/api/contacts/{id}/consents: the ledger of one contact; /api/notices: what people were told."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.rest import WorkspaceView, paged
from compliance.consent import (
    ANY,
    CHANNELS,
    METHODS,
    give_consent,
    ledger_of,
    may_contact,
    object_to,
    withdraw_consent,
)
from compliance.contacts import get_contact
from compliance.models import Consent, Contact, Notice
from compliance.notices import MAX_NOTICE, get_notice, publish_notice, update_notice, visible_notices

REFUSALS = {Consent.State.WITHDRAWN: withdraw_consent, Consent.State.OBJECTED: object_to}


class ConsentInput(serializers.Serializer[Any]):
    state = serializers.ChoiceField(Consent.State.choices)
    purpose = serializers.CharField(max_length=40, help_text=f"Such as newsletter; “{ANY}” to refuse everything.")
    channel = serializers.ChoiceField([*CHANNELS, ANY])
    method = serializers.ChoiceField(METHODS, default="api")
    notice = serializers.UUIDField(required=False, allow_null=True, help_text="What they were shown as they agreed.")
    evidence = serializers.DictField(required=False, help_text="What proves it.")


class ConsentAnswer(serializers.ModelSerializer[Consent]):
    class Meta:
        model = Consent
        fields = ["id", "state", "purpose", "channel", "method", "notice", "evidence", "recorded_by", "at"]
        read_only_fields = fields


class MayQuery(serializers.Serializer[Any]):
    purpose = serializers.CharField(max_length=40)
    channel = serializers.ChoiceField(CHANNELS)


class MayAnswer(serializers.Serializer[Any]):
    allowed = serializers.BooleanField()
    why = serializers.CharField()


class NoticeInput(serializers.Serializer[Any]):
    purpose = serializers.CharField(max_length=40)
    language = serializers.CharField(max_length=12, default="en")
    text = serializers.CharField(max_length=MAX_NOTICE)


class NoticeText(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_NOTICE)


class NoticeAnswer(serializers.ModelSerializer[Notice]):
    is_used = serializers.SerializerMethodField(help_text="Then its text stands still.")

    class Meta:
        model = Notice
        fields = ["id", "purpose", "version", "language", "text", "is_used", "created_at"]
        read_only_fields = fields

    def get_is_used(self, notice: Notice) -> bool:
        return getattr(notice, "is_used", False)


class ConsentListView(ListView):
    @extend_schema(
        operation_id="contact_consents",
        tags=["contacts"],
        summary="What one contact agreed to and refused, newest first",
        responses=ConsentAnswer(many=True),
    )
    def get(self, request: Request, contact_id: UUID) -> Response:
        return paged(self, ledger_of(get_contact(self.actor, contact_id)), ConsentAnswer)

    @extend_schema(
        operation_id="contact_consent_add",
        tags=["contacts"],
        summary="Write down what a contact agreed to or refused",
        description="The ledger only grows. A refusal that is known already answers with the row that says so.",
        request=ConsentInput,
        responses={201: ConsentAnswer},
    )
    def post(self, request: Request, contact_id: UUID) -> Response:
        contact = get_contact(self.actor, contact_id)
        self.actor.require(Perm.CONTENT_EDIT)
        row = self._add(contact, valid(ConsentInput(data=request.data)))
        return Response(ConsentAnswer(row).data, status=201)

    def _add(self, contact: Contact, data: dict[str, Any]) -> Consent:
        about = (contact, data["purpose"], data["channel"])
        how: dict[str, Any] = {"by": self.actor, "method": data["method"], "evidence": data.get("evidence")}
        if data["state"] in REFUSALS:
            return REFUSALS[data["state"]](*about, **how)
        notice = get_notice(self.actor, data["notice"]) if data.get("notice") else None
        return give_consent(*about, notice=notice, **how)


class MayContactView(WorkspaceView):
    @extend_schema(
        operation_id="contact_may",
        tags=["contacts"],
        summary="Whether a contact may be written to, and why",
        parameters=[MayQuery],
        responses=MayAnswer,
    )
    def get(self, request: Request, contact_id: UUID) -> Response:
        contact = get_contact(self.actor, contact_id)
        data = valid(MayQuery(data=request.query_params))
        return Response(may_contact(contact, data["purpose"], data["channel"])._asdict())


class NoticeListView(ListView):
    @extend_schema(
        operation_id="notices",
        tags=["contacts"],
        summary="Every version of every notice, newest first",
        responses=NoticeAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return paged(self, visible_notices(self.actor), NoticeAnswer)

    @extend_schema(
        operation_id="notice_publish",
        tags=["contacts"],
        summary="A new version, or the newest version's translation",
        request=NoticeInput,
        responses={201: NoticeAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        notice = publish_notice(by=self.actor, **valid(NoticeInput(data=request.data)))
        return Response(NoticeAnswer(notice).data, status=201)


class NoticeView(WorkspaceView):
    @extend_schema(operation_id="notice", tags=["contacts"], summary="One notice", responses=NoticeAnswer)
    def get(self, request: Request, notice_id: UUID) -> Response:
        return Response(NoticeAnswer(get_notice(self.actor, notice_id)).data)

    @extend_schema(
        operation_id="notice_update",
        tags=["contacts"],
        summary="Change the text, until the first person agreed to it",
        request=NoticeText,
        responses=NoticeAnswer,
    )
    def patch(self, request: Request, notice_id: UUID) -> Response:
        notice = get_notice(self.actor, notice_id)
        self.actor.require(Perm.SETTINGS)
        data = valid(NoticeText(data=request.data))
        return Response(NoticeAnswer(update_notice(notice, by=self.actor, text=data["text"])).data)
