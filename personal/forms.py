"""Forms of the pages under “You”."""

from datetime import date, datetime, time
from typing import Any

from django import forms

from agents.memory.blocks import OWN_BLOCK, PERSONALITY, PROFILE
from agents.models import PeriodicTask
from analytics.reporting.turns import PERIODS
from personal.preferences import CHANNELS, MAX_INTEREST, MAX_INTERESTS
from personal.watching import MAX_LABEL, MAX_PERCENT
from personal.wording import LANGUAGES

Mode = PeriodicTask.Mode
REPEATS = {
    "weekdays": "Every weekday",
    "daily": "Every day",
    "weekly": "Every week",
    "monthly": "On the first of every month",
    "hours": "Every few hours",
    "once": "Once",
    "cron": "By a cron expression",
}
# What each way needs to be told; the rest of the timing is hidden by personal.css and not read.
TIMING = {
    "weekdays": {"at"},
    "daily": {"at"},
    "weekly": {"day", "at"},
    "monthly": {"at"},
    "hours": {"hours"},
    "once": {"on", "at"},
    "cron": {"cron"},
}
# Only of a task that there is: its time, whatever it is.
KEEP = "keep"
NEEDED = {"required": "This is needed."}
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        choices=list(LANGUAGES.items()), label="Language of briefs and reports", required=False
    )
    channels = forms.MultipleChoiceField(
        choices=list(CHANNELS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Where briefs go",
        help_text="They are always kept in your list.",
    )
    personality = forms.CharField(
        max_length=PERSONALITY.limit,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": PERSONALITY.example}),
        label="How your assistant speaks",
    )
    profile = forms.CharField(
        max_length=PROFILE.limit,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": PROFILE.example}),
        label="What it should know of you",
    )
    manner = forms.CharField(
        max_length=OWN_BLOCK.limit,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": OWN_BLOCK.example}),
        label="How it should work with you",
    )
    interests = forms.CharField(
        required=False,
        max_length=MAX_INTERESTS * (MAX_INTEREST + 2),
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "coffee, 春季豆子, packaging"}),
        help_text=f"Topics, with commas between; up to {MAX_INTERESTS}.",
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_interests(self) -> list[str]:
        text = str(self.cleaned_data["interests"])
        for mark in "，、;\n":
            text = text.replace(mark, ",")
        return [part.strip() for part in text.split(",") if part.strip()]


class WatchForm(forms.Form):
    value = forms.CharField(
        max_length=200,
        label="Watch",
        widget=forms.TextInput(attrs={"placeholder": "@account, #tag or word, $SYMBOL"}),
    )


class WatchChangeForm(forms.Form):
    label = forms.CharField(max_length=MAX_LABEL, required=False, label="Your name for it")
    alert_percent = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=MAX_PERCENT,
        label="Tell me at a move of %",
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "only in briefs"}),
    )


class TaskForm(forms.Form):
    """What comes when, in choices; `spec` is what the engine understands."""

    name = forms.CharField(max_length=120)
    repeat = forms.ChoiceField(choices=list(REPEATS.items()), label="How often")
    day = forms.ChoiceField(
        choices=[(str(number), DAYS[number]) for number in (1, 2, 3, 4, 5, 6, 0)], initial="1", error_messages=NEEDED
    )
    on = forms.DateField(label="Date", widget=forms.DateInput(attrs={"type": "date"}), error_messages=NEEDED)
    hours = forms.IntegerField(min_value=1, max_value=168, initial=6, label="Hours between", error_messages=NEEDED)
    cron = forms.CharField(
        max_length=80,
        label="Cron expression",
        help_text="Five fields, such as 30 8 * * 1-5.",
        widget=forms.TextInput(attrs={"class": "mono"}),
        error_messages=NEEDED,
    )
    at = forms.TimeField(
        initial=time(9),
        label="At",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Give a time."},
    )

    def __init__(self, *args: Any, kind: str, now_words: str = "", **kwargs: Any) -> None:
        """`now_words`: when it comes so far, which may be kept."""
        super().__init__(*args, **kwargs)
        if now_words:
            self.fields["repeat"].choices = [(KEEP, f"As now: {now_words}"), *REPEATS.items()]  # type: ignore[attr-defined]
        own = {"brief": brief_fields, "report": report_fields, "prompt": prompt_fields}[kind]()
        # What it does stands before when.
        self.fields = {"name": self.fields.pop("name"), **own, **self.fields}
        self.own = tuple(own)

    @property
    def timing(self) -> list[forms.BoundField]:
        """What only some ways of repeating need, in the order of the page."""
        return [self[name] for name in ("day", "on", "hours", "cron", "at")]

    @property
    def others(self) -> list[forms.BoundField]:
        """What it does."""
        return [field for field in self if field.name != "repeat" and field not in self.timing]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        needed = TIMING.get(data.get("repeat", ""), set())
        for field in self.timing:
            if field.name not in needed:
                self.errors.pop(field.name, None)
        return data

    def args(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.own}

    def time(self) -> tuple[str, str] | None:
        """Mode and spec, whatever else is missing; None where they are not complete, or stay as they are."""
        wrong, data = self.errors.keys(), self.cleaned_data
        repeat = data.get("repeat", KEEP)
        if repeat == KEEP or wrong & TIMING[repeat]:
            return None
        if data["repeat"] == "hours":
            return Mode.EVERY, str(data["hours"] * 3600)
        if data["repeat"] == "cron":
            return Mode.CRON, data["cron"]
        at: time = data["at"]
        if data["repeat"] == "once":
            day: date = data["on"]
            return Mode.AT, datetime.combine(day, at).isoformat(timespec="minutes")
        rest = {"weekdays": "* * 1-5", "daily": "* * *", "weekly": f"* * {data.get('day')}", "monthly": "1 * *"}
        return Mode.CRON, f"{at.minute} {at.hour} {rest[data['repeat']]}"


def brief_fields() -> dict[str, forms.Field]:
    text = "Its figures are the brief's own; it is left out where the month's budget for AI is used up."
    return {"with_words": forms.BooleanField(required=False, label="A few sentences in front", help_text=text)}


def report_fields() -> dict[str, forms.Field]:
    text = "The last whole one before it is made."
    return {"period": forms.ChoiceField(choices=list(PERIODS.items()), initial="week", help_text=text)}


def prompt_fields() -> dict[str, forms.Field]:
    widget = forms.Textarea(attrs={"rows": 3, "placeholder": "Suggest three posts for today, from what we remember."})
    return {"instruction": forms.CharField(max_length=2000, min_length=3, widget=widget, label="What to ask")}
