"""Forms of experiments: what somebody wants to know, and the draft that follows from it."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.access import Actor
from analytics.models import Link
from campaigns.access import visible_campaigns
from experiments.arms import MOST_ARMS, NO_ARMS, TWO_ONLY, ArmDraft
from experiments.models import Experiment
from experiments.options import POST_METRICS, VISITOR_DESIGNS
from experiments.proposals import QUESTIONS, Goal
from social.models import Connection

Design = Experiment.Design
MICRO = 1_000_000
WEEKDAYS = [(str(number), name) for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))]
METRIC_NAMES = {
    "conversions": "Conversions",
    "clicks": "Clicks",
    "engagement_rate": "Engagements per impression",
    "click_rate": "Link clicks per impression",
    "like_rate": "Likes and reactions per impression",
    "reply_rate": "Replies per impression",
    "repost_rate": "Reposts per impression",
    "bookmark_rate": "Bookmarks per impression",
    "profile_rate": "Profile clicks per impression",
    "join_rate": "Joins per impression",
}
# What an arm is called and what goes into it, by design.
ARM_WORDS = {
    Design.LINK_SPLIT: ("Address", "https://example.com/landing-a", "url"),
    Design.SUBSCRIBER_SPLIT: ("Text", "The message", "text"),
    Design.PAIRED_SLOTS: ("Texts", "One content per paragraph; leave an empty line between two", "texts"),
    Design.CROSSOVER: ("Texts", "One content per paragraph; leave an empty line between two", "texts"),
    Design.PROGRAMME: ("Style", "Such as: begins with a question", "style"),
}
ROWS_SHOWN = 4
# Settings that a form has under the same name.
AS_GIVEN = ("pairs", "gap_days", "periods", "posts", "days", "goal")


class GoalForm(forms.Form):
    question = forms.ChoiceField(
        label="What do you want to find out?", choices=list(QUESTIONS.items()), widget=forms.RadioSelect
    )
    lift = forms.FloatField(
        label="Smallest difference worth finding (%)", min_value=1, max_value=500, initial=20, required=False
    )
    visitors_per_day = forms.FloatField(
        label="Visitors of the link a day", min_value=0, max_value=1e9, required=False, initial=200
    )
    base_rate = forms.FloatField(
        label="Of them convert now (%)", min_value=0.01, max_value=99, required=False, initial=5
    )
    posts_per_week = forms.FloatField(label="Posts a week", min_value=0, max_value=1000, required=False, initial=7)
    channels = forms.IntegerField(label="Accounts that take part", min_value=1, max_value=50, required=False, initial=1)

    def goal(self) -> Goal:
        """What was left out is as usual."""
        given = self.cleaned_data
        return Goal(
            question=given["question"],
            lift=(given["lift"] or 20) / 100,
            visitors_per_day=given["visitors_per_day"] or 0.0,
            base_rate=(given["base_rate"] or 5) / 100,
            posts_per_week=given["posts_per_week"] or 0.0,
            channels=given["channels"] or 1,
        )


@dataclass(frozen=True)
class ArmRow:
    name: str = ""
    content: str = ""


class DraftForm(forms.Form):
    """The fields that a design needs; arms come as lists beside them (`read_arms`)."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"placeholder": "Question in the headline"}))
    hypothesis = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What you expect and why. It is kept as it is from the start on.",
    )
    campaign: Any = forms.ModelChoiceField(None, required=False, empty_label="None")
    metric = forms.ChoiceField(label="What decides", help_text="One number decides; it cannot be changed afterwards.")
    lower_is_better = forms.BooleanField(label="Less of it is better", required=False)
    mde = forms.FloatField(label="Smallest difference worth finding (%)", min_value=1, max_value=500)
    horizon_days = forms.IntegerField(label="Runs at most (days)", min_value=1, max_value=366)

    links: Any = forms.ModelMultipleChoiceField(
        None, label="Short links whose visitors are split", widget=forms.CheckboxSelectMultiple
    )
    base_rate = forms.FloatField(label="Convert now (%)", min_value=0.01, max_value=99)
    goal = forms.CharField(
        label="Count only this goal", max_length=60, required=False, help_text="Empty: every conversion."
    )
    value = forms.DecimalField(
        label="One conversion is worth",
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        help_text="In the workspace's currency. Empty: no money is told.",
    )
    allocation = forms.ChoiceField(
        choices=Experiment.Allocation.choices,
        help_text="Fixed shares prove most. The others send more people to what works: they earn more and prove less.",
    )
    guarded = forms.CharField(
        label="Must not get worse",
        max_length=60,
        required=False,
        help_text="A goal such as refund or unsubscribe. Empty: none.",
    )
    margin = forms.FloatField(label="By more than (%)", min_value=1, max_value=1000, required=False, initial=10)

    connection: Any = forms.ModelChoiceField(None, label="Account", empty_label=None)
    connections: Any = forms.ModelMultipleChoiceField(None, label="Accounts", widget=forms.CheckboxSelectMultiple)
    weekdays = forms.MultipleChoiceField(
        label="On these days",
        choices=WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Empty: the account's own posting slots.",
    )
    at = forms.TimeField(
        label="At",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="On the workspace's clock.",
    )
    pairs = forms.IntegerField(label="Pairs", min_value=6, max_value=500)
    gap_days = forms.IntegerField(label="Days between the two of a pair", min_value=1, max_value=28, initial=7)
    periods = forms.IntegerField(min_value=4, max_value=104)
    posts = forms.IntegerField(label="Posts in all", min_value=10, max_value=5000)
    changed_at = forms.DateTimeField(
        label="When it was changed",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    days = forms.IntegerField(label="Days before and after", min_value=1, max_value=365, initial=28)

    def __init__(self, *args: Any, actor: Actor, design: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.design = Design(design)
        for name in set(self.fields) - fields_of(self.design):
            del self.fields[name]
        fields: Any = self.fields
        fields["campaign"].queryset = visible_campaigns(actor)
        fields["metric"].choices = [(name, METRIC_NAMES[name]) for name in metrics_of(self.design)]
        accounts = Connection.objects.shown().filter(workspace=actor.workspace)
        for name in {"connection", "connections"} & set(fields):
            fields[name].queryset = accounts
        if "links" in fields:
            fields["links"].queryset = Link.objects.filter(workspace=actor.workspace, is_active=True)

    def facts(self) -> dict[str, Any]:
        """The arguments of `create_experiment` without the arms."""
        given = self.cleaned_data
        facts = {name: given[name] for name in ("name", "hypothesis", "campaign", "metric", "horizon_days")}
        facts["lower_is_better"] = given["lower_is_better"]
        facts["settings"] = self._settings()
        if self.design in VISITOR_DESIGNS:
            facts["allocation"] = given["allocation"]
            guarded = [{"metric": given["guarded"], "margin": (given["margin"] or 10) / 100}]
            facts["guardrails"] = guarded if given["guarded"] else []
        return facts

    def _settings(self) -> dict[str, Any]:
        given = self.cleaned_data
        found: dict[str, Any] = {name: given[name] for name in AS_GIVEN if name in given}
        if self.design not in NO_ARMS:
            found["mde"] = given["mde"] / 100
        if "base_rate" in given:
            found["base_rate"] = given["base_rate"] / 100
        if given.get("value"):
            found["value_micro"] = int(given["value"] * MICRO)
        if "links" in given:
            found["links"] = [str(link.pk) for link in given["links"]]
        if "connection" in given:
            found["connection"] = str(given["connection"].pk)
        if "connections" in given:
            found["connections"] = [str(row.pk) for row in given["connections"]]
        if given.get("weekdays"):
            at = (given["at"] or time(17)).strftime("%H:%M")
            found["slots"] = [{"weekday": int(day), "time": at} for day in given["weekdays"]]
        if "changed_at" in given:
            found["changed_at"] = given["changed_at"].isoformat()
        return found


def metrics_of(design: str) -> list[str]:
    if design == Design.LINK_SPLIT:
        return ["conversions"]
    return ["clicks"] if design in VISITOR_DESIGNS else list(POST_METRICS)


def fields_of(design: str) -> set[str]:
    shared = {"name", "hypothesis", "campaign", "metric", "lower_is_better", "horizon_days"}
    if design not in NO_ARMS:
        shared.add("mde")
    slots = {"weekdays", "at", "gap_days"}
    return (
        shared
        | {
            Design.LINK_SPLIT: {"links", "base_rate", "goal", "value", "allocation", "guarded", "margin"},
            Design.SUBSCRIBER_SPLIT: {"base_rate", "allocation", "guarded", "margin"},
            Design.PAIRED_SLOTS: {"connection", "pairs", *slots},
            Design.CROSSOVER: {"connections", "periods", *slots},
            Design.PROGRAMME: {"connection", "posts"},
            Design.OPTIMISER: {"connection"},
            Design.OBSERVATION: {"connection", "changed_at", "days"},
        }[Design(design)]
    )


def read_arms(design: str, names: list[str], contents: list[str]) -> list[ArmDraft]:
    """What stands in the rows; empty ones are left out. Raises ValidationError where a row has a name only."""
    if design in NO_ARMS:
        return []
    kind = ARM_WORDS[Design(design)][2]
    found: list[ArmDraft] = []
    for name, content in zip(names, contents, strict=False):
        if not content.strip() and not name.strip():
            continue
        if not content.strip():
            raise ValidationError({"arms": f"“{name.strip()}” is empty."})
        value: Any = _paragraphs(content) if kind == "texts" else content.strip()
        found.append(ArmDraft(name.strip(), {kind: value}, is_control=not found))
    return found


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]


def arm_rows(design: str, names: list[str], contents: list[str]) -> list[ArmRow]:
    """As many rows as the design may need, filled as they were sent."""
    shown = 2 if design in TWO_ONLY else ROWS_SHOWN
    rows = [ArmRow(name, content) for name, content in zip(names, contents, strict=False)][:MOST_ARMS]
    return rows + [ArmRow("Control" if not rows and not number else "") for number in range(shown - len(rows))]


def initial_of(design: str, settings: dict[str, Any], days: int | None) -> dict[str, Any]:
    """The draft as the proposal has it."""
    return {
        "mde": round(settings.get("mde", 0.2) * 100, 1),
        "base_rate": round(settings.get("base_rate", 0.05) * 100, 2),
        "pairs": max(settings.get("pairs", 20), 6),
        "periods": settings.get("periods", 8),
        "posts": settings.get("posts", 40),
        "gap_days": 7,
        "days": 28,
        "margin": 10,
        "horizon_days": min(max(days or 28, 7), 366),
        "allocation": Experiment.Allocation.FIXED,
    }
