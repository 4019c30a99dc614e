from datetime import timedelta
from typing import Any, cast

from django import forms

from integrations.models import WebhookEndpoint
from integrations.webhooks.kinds import ALL, KINDS, is_wanted, kinds_by_area
from lib.clock import now


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hooks/rostrum"}),
        help_text="We POST each event there as JSON.",
    )
    label = forms.CharField(label="Name", max_length=80, required=False, help_text="What it is for: our chat, for one.")
    is_all = forms.BooleanField(
        label="Everything", required=False, help_text="All events, also kinds that are added later."
    )
    kinds = forms.MultipleChoiceField(label="Events", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, row: WebhookEndpoint | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = [(area, [(kind.name, kind.name) for kind in kinds]) for area, kinds in kinds_by_area().items()]
        cast(forms.MultipleChoiceField, self.fields["kinds"]).choices = groups
        if row is not None:
            self.initial = {"url": row.url, "label": row.label, "is_all": ALL in row.kinds, "kinds": _chosen(row)}

    def arguments(self) -> dict[str, Any]:
        data = self.cleaned_data
        kinds = [ALL] if data["is_all"] else data["kinds"]
        return {"url": data["url"], "label": data["label"], "kinds": kinds}

    def groups(self) -> list[tuple[str, list[tuple[Any, bool]]]]:
        """By area: each kind, and whether it is chosen."""
        chosen = set(self["kinds"].value() or [])
        return [(area, [(kind, kind.name in chosen) for kind in kinds]) for area, kinds in kinds_by_area().items()]


def _chosen(row: WebhookEndpoint) -> list[str]:
    """Beginnings, which only the API writes, as what they stand for."""
    return [] if ALL in row.kinds else [name for name in KINDS if is_wanted(name, row.kinds)]


class ReplayForm(forms.Form):
    DAYS = ((1, "the last 24 hours"), (7, "the last 7 days"), (30, "the last 30 days"))
    days = forms.TypedChoiceField(label="Failed in", choices=DAYS, coerce=int, initial=1)

    def since(self) -> Any:
        return now() - timedelta(days=self.cleaned_data["days"])
