"""/api/contacts: the people a workspace writes to."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import ListView, valid
from accounts.rest import WorkspaceView, paged
from compliance.contacts import FIELDS, MAX_NOTES, create_contact, get_contact, search_contacts, update_contact
from compliance.contacts_import import MAX_CHARACTERS, check_import, count_fates, import_contacts
from compliance.models import Contact


class ContactInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    network = serializers.CharField(max_length=12, required=False, allow_blank=True, help_text="Such as x or telegram.")
    remote_id = serializers.CharField(max_length=60, required=False, allow_blank=True)
    handle = serializers.CharField(max_length=80, required=False, allow_blank=True)
    country = serializers.CharField(max_length=2, required=False, allow_blank=True, help_text="ISO 3166.")
    language = serializers.CharField(max_length=12, required=False, allow_blank=True, help_text="Such as zh or pt-BR.")
    notes = serializers.CharField(max_length=MAX_NOTES, required=False, allow_blank=True, trim_whitespace=False)


class ContactAnswer(serializers.ModelSerializer[Contact]):
    # Often empty, which is no address.
    email = serializers.CharField(read_only=True)

    class Meta:
        model = Contact
        fields = ["id", *FIELDS, "restricted_at", "has_gpc", "created_at"]
        read_only_fields = fields


class SearchQuery(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="Part of who it is.")


class ContactImportInput(serializers.Serializer[Any]):
    csv = serializers.CharField(
        max_length=MAX_CHARACTERS, trim_whitespace=False, help_text="The first row names the columns."
    )
    dry_run = serializers.BooleanField(default=True, help_text="Only say what would become of each row.")


class ContactFate(serializers.Serializer[Any]):
    line = serializers.IntegerField(help_text="As spreadsheets count.")
    action = serializers.ChoiceField(["create", "update", "same", "error"])
    who = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField())
    messages = serializers.ListField(child=serializers.CharField())


class ContactImportAnswer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    rows = ContactFate(many=True)


class ContactListView(ListView):
    @extend_schema(
        operation_id="contacts",
        tags=["contacts"],
        summary="Contacts, newest first",
        parameters=[SearchQuery],
        responses=ContactAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        query = valid(SearchQuery(data=request.query_params))
        return paged(self, search_contacts(self.actor, query.get("q", "")), ContactAnswer)

    @extend_schema(
        operation_id="contact_create",
        tags=["contacts"],
        summary="Add a contact",
        request=ContactInput,
        responses={201: ContactAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ContactInput(data=request.data))
        return Response(ContactAnswer(create_contact(by=self.actor, **data)).data, status=201)


class ContactView(WorkspaceView):
    @extend_schema(operation_id="contact", tags=["contacts"], summary="One contact", responses=ContactAnswer)
    def get(self, request: Request, contact_id: UUID) -> Response:
        return Response(ContactAnswer(get_contact(self.actor, contact_id)).data)

    @extend_schema(
        operation_id="contact_update",
        tags=["contacts"],
        summary="Change a contact",
        request=ContactInput(partial=True),
        responses=ContactAnswer,
    )
    def patch(self, request: Request, contact_id: UUID) -> Response:
        contact = get_contact(self.actor, contact_id)
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ContactInput(data=request.data, partial=True))
        return Response(ContactAnswer(update_contact(contact, by=self.actor, **data)).data)


class ContactImportView(WorkspaceView):
    @extend_schema(
        operation_id="contacts_import",
        tags=["contacts"],
        summary="Add and change contacts from CSV; a dry run unless told otherwise",
        request=ContactImportInput,
        responses=ContactImportAnswer,
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.CONTENT_EDIT)
        data = valid(ContactImportInput(data=request.data))
        fates = (check_import if data["dry_run"] else import_contacts)(data["csv"], by=self.actor)
        answer = {"dry_run": data["dry_run"], "counts": count_fates(fates), "rows": fates}
        return Response(ContactImportAnswer(answer).data)
