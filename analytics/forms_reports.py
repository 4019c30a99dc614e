"""Forms of the pages about reports."""

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms

from accounts.access import Actor
from accounts.models import Membership
from analytics.models import ReportSchedule
from analytics.queries.period import today
from analytics.reporting.services import LANGUAGES
from analytics.reporting.turns import PERIODS
from campaigns.access import visible_campaigns

# A report is about the last week unless somebody says otherwise.
DAYS = 7
USUAL_TIMES = {
    "0 9 * * 1": "Mondays at 9:00",
    "0 9 * * 1-5": "Monday to Friday at 9:00",
    "0 9 * * *": "Every day at 9:00",
    "0 9 1 * *": "On the first of the month at 9:00",
}


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class ReportForm(forms.Form):
    start = _day("First day")
    end = _day("Last day")
    campaign: Any = forms.ModelChoiceField(None, required=False, empty_label="The whole workspace")
    language = forms.ChoiceField(choices=list(LANGUAGES.items()))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        end = today(actor.workspace) - timedelta(days=1)
        usual = {"start": end - timedelta(days=DAYS - 1), "end": end}
        kwargs["initial"] = usual | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["campaign"].queryset = visible_campaigns(actor)  # type: ignore[attr-defined]


class ScheduleForm(forms.Form):
    name = forms.CharField(max_length=120)
    cron = forms.CharField(
        label="When",
        max_length=80,
        widget=forms.TextInput(attrs={"list": "usual-times", "autocomplete": "off", "spellcheck": "false"}),
        help_text="As a cron expression, such as 0 9 * * 1 for Mondays at 9:00.",
    )
    time_zone = forms.CharField(max_length=64, widget=forms.TextInput(attrs={"list": "time-zones"}))
    period = forms.ChoiceField(label="About the last whole", choices=list(PERIODS.items()), initial="week")
    campaign: Any = forms.ModelChoiceField(None, required=False, empty_label="The whole workspace")
    language = forms.ChoiceField(choices=list(LANGUAGES.items()))
    recipients = forms.MultipleChoiceField(
        label="Mail it to", required=False, widget=forms.CheckboxSelectMultiple, help_text="With the PDF attached."
    )
    zones = sorted(available_timezones())
    usual_times = USUAL_TIMES

    def __init__(self, *args: Any, actor: Actor, schedule: ReportSchedule | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("initial", _initial(actor, schedule))
        super().__init__(*args, **kwargs)
        self.fields["campaign"].queryset = visible_campaigns(actor)  # type: ignore[attr-defined]
        members = Membership.objects.filter(workspace=actor.workspace).exclude(role="guest").select_related("user")
        self.fields["recipients"].choices = [(str(one.user_id), str(one.user)) for one in members]  # type: ignore[attr-defined]


def _initial(actor: Actor, schedule: ReportSchedule | None) -> dict[str, Any]:
    if schedule is None:
        return {"time_zone": actor.workspace.time_zone, "cron": next(iter(USUAL_TIMES)), "period": "week"}
    names = ("name", "cron", "time_zone", "period", "campaign", "language", "recipients")
    return {name: getattr(schedule, name) for name in names}
