"""Actions of staff that ask for a reason, on a page of their own, before anything happens."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.staff import MAX_REASON
from lib.text import one_line, storable

# Takes a row and the reason; False where there was nothing to do.
Act = Callable[[Any, str], bool]


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        error_messages={"required": "Say why: the people concerned will read it."},
    )

    def clean_reason(self) -> str:
        return one_line(storable(self.cleaned_data["reason"]))


class ReasonedActions:
    """For a ModelAdmin: `return self.act_with_reason(…)` as the last line of an action."""

    # What a service raises where it may not be done now, besides ValidationError and PermissionDenied.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()

    def act_with_reason(
        self, request: HttpRequest, rows: QuerySet[Any], act: Act, *, title: str, done: str
    ) -> TemplateResponse | None:
        """`title` says on the page what will happen, `done` what has happened: "3 suspended"."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, rows, form, title, request.POST.get("action", ""))
        reason = form.cleaned_data["reason"]
        count = sum(self._try(request, row, act, reason) for row in rows)
        level = messages.SUCCESS if count else messages.WARNING
        messages.add_message(request, level, f"{count} {done}.")
        return None

    def _try(self, request: HttpRequest, row: Any, act: Act, reason: str) -> bool:
        expected: tuple[type[Exception], ...] = (ValidationError, PermissionDenied, *self.refusals)
        try:
            return act(row, reason)
        except expected as refusal:
            text = " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
            messages.add_message(request, messages.WARNING, f"{self.label_of(row)}: {text}")
            return False

    def ask_reason(self, request: HttpRequest, object_id: str, action: str, *, title: str) -> TemplateResponse:
        """For a button on the page of one object; the answer goes to the action of the list."""
        admin: Any = self
        row = admin.get_object(request, object_id)
        if row is None:
            raise Http404
        return self._ask(request, [row], ReasonForm(), title, action)

    def label_of(self, row: Any) -> str:
        """How the page that asks names a row."""
        return str(row)

    def _ask(
        self, request: HttpRequest, rows: Iterable[Any], form: ReasonForm, title: str, action: str
    ) -> TemplateResponse:
        admin: Any = self
        meta = admin.model._meta
        context = admin.admin_site.each_context(request) | {
            "title": title,
            "opts": meta,
            "rows": [(row, self.label_of(row)) for row in rows],
            "form": form,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
            "list_url": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/reason.html", context)
