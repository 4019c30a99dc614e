"""/api/privacy: requests of contacts, the workspace's copy, holds, retention; /api/account/privacy: one's own."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.inventory import INVENTORY
from accounts.models import ApiKey, User, Workspace
from accounts.rest import ApiView, Conflict, WorkspaceView, paged
from accounts.throttling import AuthThrottle
from compliance.models import Contact, LegalHold, PrivacyRequest
from compliance.models.privacy import SubjectKind
from compliance.privacy import deletion, files, holds, requests

TAGS = ["privacy"]
Kind = PrivacyRequest.Kind


class PrivacyRequestAnswer(serializers.ModelSerializer[PrivacyRequest]):
    manifest = serializers.JSONField(read_only=True, help_text="What came out: counts by model, digests of the files.")
    details = serializers.JSONField(read_only=True)
    has_file = serializers.SerializerMethodField(help_text="Whether there is a copy to download.")

    class Meta:
        model = PrivacyRequest
        fields = [
            *["id", "kind", "law", "status", "subject_kind", "subject_id", "subject_label", "details"],
            *["received_at", "due_at", "extended_because", "identity_method", "verified_at", "refusal", "manifest"],
            *["has_file", "file_expires_at", "done_at"],
        ]
        read_only_fields = fields

    def get_has_file(self, row: PrivacyRequest) -> bool:
        return files.has_file(row)


class PrivacyRequestInput(serializers.Serializer[Any]):
    contact = serializers.UUIDField()
    kind = serializers.ChoiceField(Kind.choices)
    law = serializers.ChoiceField(PrivacyRequest.Law.choices, default=PrivacyRequest.Law.GDPR)
    corrections = serializers.DictField(
        child=serializers.CharField(max_length=5_000, allow_blank=True), required=False, help_text="For rectify."
    )
    purposes = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=50, help_text="For object."
    )


class PrivacyReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(
        max_length=300, required=False, default="", allow_blank=True, help_text="Needed to refuse and to extend."
    )


class RequestListView(ListView):
    @extend_schema(
        operation_id="privacy_requests",
        tags=TAGS,
        summary="Privacy requests",
        responses=PrivacyRequestAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return paged(self, requests.requests_of(self.actor).order_by("-received_at"), PrivacyRequestAnswer)

    @extend_schema(
        operation_id="privacy_request_open",
        tags=TAGS,
        summary="Note what a contact asked for",
        description="Nothing is done before it is verified who asks.",
        request=PrivacyRequestInput,
        responses={201: PrivacyRequestAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        data = valid(PrivacyRequestInput(data=request.data))
        contact = Contact.objects.filter(workspace=self.actor.workspace, pk=data["contact"]).first()
        if contact is None:
            raise ValidationError({"contact": "No such contact."})
        details = {"corrections": data.get("corrections"), "purposes": data.get("purposes")}
        row = requests.open_contact_request(data["kind"], contact, by=self.actor, law=data["law"], details=details)
        return Response(PrivacyRequestAnswer(row).data, status=201)


class RequestView(WorkspaceView):
    @extend_schema(
        operation_id="privacy_request", tags=TAGS, summary="One privacy request", responses=PrivacyRequestAnswer
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        return Response(PrivacyRequestAnswer(requests.get_request(self.actor, request_id)).data)


class ActView(WorkspaceView):
    def answer(self, request_id: UUID, act: Callable[[PrivacyRequest, str, requests.Handler], Any]) -> Response:
        row = requests.get_request(self.actor, request_id)
        reason = valid(PrivacyReasonInput(data=self.request.data))["reason"]
        try:
            act(row, reason, requests.by_member(self.actor))
        except requests.RequestClosed as closed:
            raise Conflict(str(closed)) from closed
        return Response(PrivacyRequestAnswer(requests.get_request(self.actor, request_id)).data)


def _act_schema(name: str, summary: str) -> Any:
    operation_id = f"privacy_request_{name}"
    return extend_schema(
        operation_id=operation_id,
        tags=TAGS,
        summary=summary,
        request=PrivacyReasonInput,
        responses=PrivacyRequestAnswer,
    )


class VerifyView(ActView):
    @_act_schema("verify", "Note that a document shows who asks")
    def post(self, request: Request, request_id: UUID) -> Response:
        return self.answer(request_id, lambda row, _reason, by: requests.verify(row, requests.DOCUMENT, by=by))


class StartView(ActView):
    @_act_schema("start", "Carry it out")
    def post(self, request: Request, request_id: UUID) -> Response:
        return self.answer(request_id, lambda row, _reason, by: requests.start(row, by=by))


class RefuseView(ActView):
    @_act_schema("refuse", "Refuse, with a reason")
    def post(self, request: Request, request_id: UUID) -> Response:
        return self.answer(request_id, lambda row, reason, by: requests.refuse(row, reason, by=by))


class ExtendView(ActView):
    @_act_schema("extend", "Extend the time once, with a reason")
    def post(self, request: Request, request_id: UUID) -> Response:
        return self.answer(request_id, lambda row, reason, by: requests.extend(row, reason, by=by))


ZIP = {(200, "application/zip"): OpenApiTypes.BINARY}


class FileView(WorkspaceView):
    @extend_schema(operation_id="privacy_request_file", tags=TAGS, summary="Download a copy", responses=ZIP)
    def get(self, request: Request, request_id: UUID) -> HttpResponseBase:
        return files.download(requests.get_request(self.actor, request_id), by=self.actor)


class ExportView(WorkspaceView):
    @extend_schema(
        operation_id="workspace_export",
        tags=TAGS,
        summary="Make a copy of everything the workspace owns",
        request=None,
        responses={202: PrivacyRequestAnswer},
    )
    def post(self, request: Request) -> Response:
        return Response(PrivacyRequestAnswer(requests.open_workspace_export(by=self.actor)).data, status=202)


# --- holds and retention --------------------------------------------------------------------------------------


class LegalHoldAnswer(serializers.ModelSerializer[LegalHold]):
    class Meta:
        model = LegalHold
        fields = ["id", "subject_kind", "subject_id", "reason", "set_at", "released_at"]
        read_only_fields = fields


class LegalHoldInput(serializers.Serializer[Any]):
    contact = serializers.UUIDField(required=False, allow_null=True, help_text="Empty: the whole workspace.")
    reason = serializers.CharField(max_length=300)


class HoldListView(ListView):
    @extend_schema(operation_id="legal_holds", tags=TAGS, summary="Legal holds", responses=LegalHoldAnswer(many=True))
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        return paged(
            self, LegalHold.objects.filter(workspace=self.actor.workspace).order_by("-set_at"), LegalHoldAnswer
        )

    @extend_schema(
        operation_id="legal_hold_set",
        tags=TAGS,
        summary="Set a hold: nothing of it is erased",
        request=LegalHoldInput,
        responses={201: LegalHoldAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        data = valid(LegalHoldInput(data=request.data))
        kind = SubjectKind.CONTACT if data.get("contact") else SubjectKind.WORKSPACE
        subject_id = data.get("contact") or self.actor.workspace.pk
        return Response(
            LegalHoldAnswer(holds.set_hold(kind, subject_id, data["reason"], by=self.actor)).data, status=201
        )


class HoldReleaseView(WorkspaceView):
    @extend_schema(
        operation_id="legal_hold_release", tags=TAGS, summary="Release a hold", request=None, responses=LegalHoldAnswer
    )
    def post(self, request: Request, hold_id: UUID) -> Response:
        holds.release_hold(hold_id, by=self.actor)
        return Response(LegalHoldAnswer(LegalHold.objects.get(pk=hold_id)).data)


class RetentionAnswer(serializers.Serializer[Any]):
    model = serializers.CharField()
    what = serializers.CharField()
    why = serializers.CharField()
    basis = serializers.CharField()
    keep = serializers.CharField()
    days = serializers.IntegerField(allow_null=True)
    personal = serializers.ListField(child=serializers.CharField(), help_text="Fields with personal data.")


class InventoryView(WorkspaceView):
    @extend_schema(
        operation_id="privacy_inventory",
        tags=TAGS,
        summary="What is kept, why, and how long",
        responses=RetentionAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        self.actor.require(Perm.VIEW)
        rows = [
            {
                "model": declaration.label,
                "what": declaration.category.what["en"],
                "why": declaration.category.why["en"],
                "basis": declaration.category.basis["en"],
                "keep": declaration.keep.en,
                "days": declaration.keep.days,
                "personal": list(declaration.personal),
            }
            for declaration in INVENTORY.values()
        ]
        return Response(rows)


# --- the end of the workspace ---------------------------------------------------------------------------------


class DeletionInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, help_text="The workspace's name, exactly.")


class DeletionAnswer(serializers.Serializer[Any]):
    deletes_at = serializers.DateTimeField(allow_null=True)


class DeletionView(WorkspaceView):
    @extend_schema(
        operation_id="workspace_deletion",
        tags=TAGS,
        summary="Delete the workspace in 30 days; stop everything now",
        request=DeletionInput,
        responses={202: DeletionAnswer},
    )
    def post(self, request: Request) -> Response:
        deletion.ask_deletion(valid(DeletionInput(data=request.data))["name"], by=self.actor)
        return self._answer(202)

    @extend_schema(
        operation_id="workspace_deletion_cancel", tags=TAGS, summary="Keep the workspace", responses=DeletionAnswer
    )
    def delete(self, request: Request) -> Response:
        deletion.cancel_deletion(by=self.actor)
        return self._answer(200)

    def _answer(self, status: int) -> Response:
        return Response(DeletionAnswer(Workspace.objects.get(pk=self.actor.workspace.pk)).data, status=status)


# --- a person's own -------------------------------------------------------------------------------------------


class OwnPrivacyInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField([Kind.EXPORT, Kind.RESTRICT, Kind.OBJECT, Kind.ERASE, Kind.RECTIFY])
    password = serializers.CharField(max_length=200, write_only=True, help_text="To make sure that it is you.")
    corrections = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False, help_text="name, time_zone"
    )


class OwnView(ApiView):
    """By the person: a key of a workspace must not reach their account."""

    # Passwords are tried here.
    throttle_classes = [AuthThrottle]

    @extend_schema(
        operation_id="own_privacy_requests",
        tags=TAGS,
        summary="What you asked for about your own data",
        responses=PrivacyRequestAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(PrivacyRequestAnswer(requests.own_requests(_person(request)), many=True).data)

    @extend_schema(
        operation_id="own_privacy_request",
        tags=TAGS,
        summary="A copy, correction, pause, objection, or the end of the account",
        request=OwnPrivacyInput,
        responses={202: PrivacyRequestAnswer},
    )
    def post(self, request: Request) -> Response:
        user = _person(request)
        data = valid(OwnPrivacyInput(data=request.data))
        if not user.check_password(data["password"]):
            raise ValidationError({"password": "This is not your password."})
        row = requests.open_own_request(data["kind"], user=user, details={"corrections": data.get("corrections")})
        return Response(PrivacyRequestAnswer(row).data, status=202)


class OwnFileView(ApiView):
    @extend_schema(operation_id="own_privacy_file", tags=TAGS, summary="Download your copy", responses=ZIP)
    def get(self, request: Request, request_id: UUID) -> HttpResponseBase:
        return files.download(requests.get_own_request(_person(request), request_id))


def _person(request: Request) -> User:
    if isinstance(request.auth, ApiKey):
        raise exceptions.PermissionDenied("An API key cannot act on the account of the person who made it.")

    return cast(User, request.user)
