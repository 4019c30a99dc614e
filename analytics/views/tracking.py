"""How the workspace counts conversions, and conversions from a file."""

from decimal import Decimal

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix

from accounts.access import Perm
from accounts.web import MemberRequest, add_errors, member_view
from analytics.models import Tracking
from analytics.tracking import conversions_csv, pixel
from analytics.tracking.conversions_csv import Fate
from analytics.tracking.tracking import MAX_DAYS, change_tracking, find_tracking, tracking_of

SHOWN = 200


class TrackingForm(forms.Form):
    currency = forms.CharField(max_length=3, help_text="Of all conversions' values: three letters, such as EUR.")
    dollars_per_unit = forms.DecimalField(
        label="US dollars per unit",
        max_digits=14,
        decimal_places=6,
        help_text="Costs are in US dollars. Say what one unit of your currency is worth.",
    )
    attribution_days = forms.IntegerField(
        min_value=1, max_value=MAX_DAYS, help_text="A conversion counts for the last click of so many days before it."
    )
    uses_cookie = forms.BooleanField(
        label="Use a cookie",
        required=False,
        help_text="It tells a visitor from day to day. Ask your visitors first where the law wants it; "
        "who sends Global Privacy Control or Do Not Track never gets one.",
    )


class ConversionsForm(forms.Form):
    file = forms.FileField(label="CSV file", required=False, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))
    text = forms.CharField(
        label="Or its rows",
        required=False,
        max_length=conversions_csv.MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text="The first row names the columns: key, goal, at, value, click, visitor.",
    )

    def clean(self) -> dict[str, str]:
        upload, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if upload is not None:
            try:
                text = upload.read(conversions_csv.MAX_CHARACTERS * 4).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise ValidationError({"file": "Save the file as UTF-8 and choose it again."}) from error
        if not text.strip():
            raise ValidationError({"file": "Choose a file, or paste its rows."})
        return {"text": text}


def _initial(row: Tracking) -> dict[str, object]:
    """A rate without the zeros that its column adds."""
    names = ("currency", "attribution_days", "uses_cookie")
    rate = Decimal(row.dollars_per_unit).normalize()
    return {name: getattr(row, name) for name in names} | {"dollars_per_unit": f"{rate:f}"}


@member_view(Perm.SETTINGS)
def tracking_settings(request: MemberRequest) -> HttpResponse:
    row, workspace = tracking_of(request.actor.workspace), request.actor.workspace
    form = TrackingForm(request.POST or None, initial=_initial(row))
    if request.method == "POST" and form.is_valid():
        try:
            change_tracking(by=request.actor, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("analytics:tracking")
    context = {
        "form": form,
        "tracking": find_tracking(workspace),
        "base": f"{settings.BASE_URL}/t/{row.pixel_key}",
        "api": f"{settings.BASE_URL}/api/conversions",
        "calls": pixel.last_calls(workspace),
        "prefix": get_script_prefix(),
    }
    return render(request, "analytics/tracking_settings.html", context, status=422 if form.errors else 200)


@member_view(Perm.CONTENT_EDIT)
def conversion_import(request: MemberRequest) -> HttpResponse:
    """First post: what would happen. The rows stay in the form; the second post does it."""
    form = ConversionsForm(request.POST, request.FILES) if request.method == "POST" else ConversionsForm()
    fates: list[Fate] = []
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            if request.POST.get("apply"):
                added = conversions_csv.book_csv(text, by=request.actor)
                messages.success(request, f"{added} conversion{'' if added == 1 else 's'} booked.")
                return redirect("analytics:conversion-import")
            fates = conversions_csv.check_csv(text, by=request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            form = ConversionsForm(initial={"text": text})
    acts = [fate.action for fate in fates]
    context = {
        "form": form,
        "fates": fates[:SHOWN],
        "total": len(fates),
        "counts": {name: acts.count(name) for name in ("new", "known", "error")},
        "shown": SHOWN,
    }
    return render(
        request, "analytics/tracking_import.html", context, status=422 if form.is_bound and form.errors else 200
    )
