import zoneinfo
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from django import forms

from accounts.access import SCOPES, Actor
from accounts.models import LatePolicy, Role, User, Workspace
from lib.clock import now

MICRO = 1_000_000
# The page fills these in.
BROWSER_ZONE = {"data-browser-zone": ""}
ROLE_HINTS = {
    Role.OWNER: "everything, and the only one who can name owners",
    Role.ADMIN: "everything but naming owners",
    Role.EDITOR: "writes, schedules and publishes",
    Role.REVIEWER: "approves and rejects",
    Role.VIEWER: "reads everything, changes nothing",
    Role.GUEST: "sees only what is shared with them",
}
SCOPE_HINTS = {
    "read": "Read: campaigns, posts, deliveries",
    "write": "Write: campaigns, posts, media, sources",
    "publish": "Publish: schedule, publish now, pause",
    "connections": "Connections: connect and disconnect accounts",
    "webhooks": "Webhooks: who is told of events",
    "tools": "Outside tools: what assistants may use",
}


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        # Browsers take no other format, whatever the language.
        super().__init__(format="%H:%M")


class SignupForm(forms.Form):
    """What allauth adds to its own sign-up form."""

    name = forms.CharField(label="Your name", max_length=120, required=False)
    workspace = forms.CharField(
        label="Workspace",
        max_length=80,
        required=False,
        help_text="Your brand or team. You can change it later.",
    )
    time_zone = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput(BROWSER_ZONE))

    def signup(self, request: object, user: object) -> None:
        """allauth asks for this hook; the adapter does the work."""


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Read once: the list is collected from hundreds of files."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"))


def zones(blank: str = "") -> list[tuple[str, str]]:
    names = zone_names()
    return [("", blank)] * bool(blank) + [(name, name.replace("_", " ")) for name in names]


def roles_for(actor: Actor) -> list[tuple[str, str]]:
    may_give = [role for role in Role if role != Role.OWNER or actor.role == Role.OWNER]
    return [(role.value, f"{role.label}: {ROLE_HINTS[role]}") for role in may_give]


class NewWorkspaceForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="Your brand, client or team.")
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=zones,
        initial="UTC",
        widget=forms.Select(BROWSER_ZONE),
        help_text="Slots and the calendar follow it.",
    )


class WorkspaceForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, help_text="Slots and the calendar follow it.")
    late_minutes = forms.IntegerField(
        label="Late after (minutes)",
        min_value=1,
        max_value=7 * 24 * 60,
        help_text="A post that could not go out for so long, because something was down or stopped, is late.",
    )
    late_policy = forms.ChoiceField(
        label="A post that is late",
        choices=LatePolicy.choices,
        help_text="A thread of which a part is live is always finished.",
    )
    monthly_cap = forms.DecimalField(
        label="Monthly cap in US dollars",
        required=False,
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        help_text="What paid networks may cost in a month (UTC). Nothing is sent that would pass it. Empty: no cap.",
    )

    class Meta:
        model = Workspace
        fields = ["name", "time_zone", "late_minutes", "late_policy", "four_eyes"]
        labels = {"name": "Name", "four_eyes": "Four eyes"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cap = self.instance.monthly_cap_micro
        self.initial["monthly_cap"] = None if cap is None else (Decimal(cap) / MICRO).quantize(Decimal("0.01"))

    def settings(self) -> dict[str, Any]:
        """What the service takes."""
        values = dict(self.cleaned_data)
        cap = values.pop("monthly_cap")
        return values | {"monthly_cap_micro": None if cap is None else int(cap * MICRO)}


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(label="Role", initial=Role.EDITOR)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A guest is invited from the campaign that is shared with them.
        roles = cast(forms.ChoiceField, self.fields["role"])
        roles.choices = [choice for choice in roles_for(actor) if choice[0] != Role.GUEST]


class ApiKeyForm(forms.Form):
    LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("never", "Never")]

    name = forms.CharField(label="Name", max_length=80, help_text="What will use it: Newsletter importer, for one.")
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=[(name, SCOPE_HINTS[name]) for name in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing the key may do."},
    )
    days = forms.ChoiceField(label="Expires after", choices=LIFETIMES, initial="90")

    def create_arguments(self) -> dict[str, Any]:
        days = self.cleaned_data["days"]
        return {
            "name": self.cleaned_data["name"],
            "scopes": self.cleaned_data["scopes"],
            "expires_at": None if days == "never" else now() + timedelta(days=int(days)),
        }


class ProfileForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: zones("As the workspace"),
        required=False,
        help_text="Used for your own notifications. The calendar follows the workspace.",
    )
    mail_alerts = forms.BooleanField(
        label="Mail me what needs attention",
        required=False,
        help_text="A post that failed, an account that broke, a budget that runs out. Notifications lists them all.",
    )
    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=TimeInput)
    quiet_to = forms.TimeField(
        label="Quiet until",
        required=False,
        widget=TimeInput,
        help_text="No alert is mailed in between, in your time zone; afterwards they come in one mail.",
    )

    class Meta:
        model = User
        fields = ["name", "time_zone", "mail_alerts", "quiet_from", "quiet_to"]
        labels = {"name": "Your name"}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("quiet_from"), cleaned.get("quiet_to")
        if self.errors.keys() & {"quiet_from", "quiet_to"}:
            return cleaned
        if (start is None) != (end is None):
            self.add_error("quiet_to" if end is None else "quiet_from", "Give both times, or neither.")
        elif start is not None and start == end:
            self.add_error("quiet_to", "Quiet hours cannot end when they begin. Switch the mails off instead.")
        return cleaned
