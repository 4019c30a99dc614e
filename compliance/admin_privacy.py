"""Staff answer requests about accounts, hold what must stay, and see who was erased (by id alone)."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin, StaffAdmin
from accounts.models import User
from compliance.models import Erasure, LegalHold, PrivacyRequest
from compliance.privacy import holds, requests


class AccountRequestForm(forms.ModelForm):
    """What somebody wrote to us about their account."""

    # A correction needs the new values: the person enters those themself.
    kind = forms.ChoiceField(
        choices=[choice for choice in PrivacyRequest.Kind.choices if choice[0] != PrivacyRequest.Kind.RECTIFY]
    )
    email = forms.EmailField(label="E-mail address of the account")

    class Meta:
        model = PrivacyRequest
        fields = ["kind", "law"]

    def clean_email(self) -> User:
        user = User.objects.filter(email__iexact=self.cleaned_data["email"]).first()
        if user is None:
            raise ValidationError("There is no such account.")
        return user


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(StaffAdmin):
    """Those about accounts are staff's; those of a workspace's contacts are its own admins'."""

    form = AccountRequestForm
    list_display = ["kind", "subject_kind", "subject_label", "workspace", "status", "law", "received_at", "due_at"]
    list_filter = ["status", "kind", "subject_kind", "law"]
    list_select_related = ["workspace"]
    search_fields = ["subject_label", "subject_id"]
    date_hierarchy = "received_at"
    hidden_fields = ("file",)
    actions = ["verify", "start", "refuse"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fields(request, obj)
        return [f.name for f in PrivacyRequest._meta.fields if f.name not in {"id", *self.hidden_fields}]

    def save_model(self, request: HttpRequest, obj: PrivacyRequest, form: Any, change: bool) -> None:
        staff, user = cast(User, request.user), form.cleaned_data["email"]
        try:
            row = requests.open_request_by_staff(obj.kind, user, staff=staff, law=obj.law)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            obj.pk = row.pk

    def has_answer_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("compliance.change_privacyrequest")

    @admin.action(description="Document seen: this is who asks", permissions=["answer"])
    def verify(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest]) -> None:
        self._each(request, queryset, lambda row, by: requests.verify(row, requests.DOCUMENT, by=by))

    @admin.action(description="Carry out", permissions=["answer"])
    def start(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest]) -> None:
        self._each(request, queryset, lambda row, by: requests.start(row, by=by))

    @admin.action(description="Refuse: it could not be verified who asks", permissions=["answer"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest]) -> None:
        reason = "We could not verify that it is you who asks."
        self._each(request, queryset, lambda row, by: requests.refuse(row, reason, by=by))

    def _each(self, request: HttpRequest, queryset: QuerySet[PrivacyRequest], act: Callable[..., None]) -> None:
        by = requests.by_staff(cast(User, request.user))
        for row in queryset:
            try:
                act(row, by)
            except ValidationError as error:
                self.message_user(request, f"{row}: {' '.join(error.messages)}", messages.ERROR)
            except requests.RequestClosed as closed:
                self.message_user(request, f"{row}: {closed}", messages.WARNING)
            else:
                self.message_user(request, f"{row}: done.", messages.SUCCESS)


class HoldForm(forms.ModelForm):
    class Meta:
        model = LegalHold
        fields = ["subject_kind", "subject_id", "reason"]


@admin.register(LegalHold)
class LegalHoldAdmin(StaffAdmin):
    """Also on accounts, which no workspace can hold."""

    form = HoldForm
    list_display = ["subject_kind", "subject_id", "workspace", "reason", "set_by", "set_at", "released_at"]
    list_filter = ["subject_kind", ("released_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "set_by"]
    search_fields = ["subject_id", "reason"]
    actions = ["release"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_release_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("compliance.change_legalhold")

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:
        row = holds.set_hold_by_staff(obj.subject_kind, obj.subject_id, obj.reason, staff=cast(User, request.user))
        obj.pk = row.pk

    @admin.action(description="Release: erasures may go on", permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> None:
        done = sum(holds.release_hold_by_staff(row, staff=cast(User, request.user)) for row in queryset)
        self.message_user(request, f"{done} released.", messages.SUCCESS)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ["subject_kind", "subject_id", "workspace_id", "at"]
    list_filter = ["subject_kind"]
    search_fields = ["subject_id"]
    date_hierarchy = "at"
