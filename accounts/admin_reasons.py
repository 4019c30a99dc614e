"""Actions of staff that ask for a reason, on a page of their own, before anything happens."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
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
            return self._ask(request, rows, form, title)
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
            messages.add_message(request, messages.WARNING, f"{row}: {text}")
            return False

    def _ask(self, request: HttpRequest, rows: Iterable[Any], form: ReasonForm, title: str) -> TemplateResponse:
        admin: Any = self
        context = admin.admin_site.each_context(request) | {
            "title": title,
            "opts": admin.model._meta,
            "rows": list(rows),
            "form": form,
            "action": request.POST.get("action", ""),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/reason.html", context)
