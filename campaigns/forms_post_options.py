"""The part of the composer's form that only some networks know: polls, switches, buttons, the post to answer."""

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict

from social.models import Network
from social.networks.options import POLL_CHOICES, clean_options, clean_poll

FLAGS = {
    Network.X: ("paid_partnership",),
    Network.TELEGRAM: ("silent", "pin", "protect"),
}
CHOICES = {Network.X: ("reply_settings",), Network.TELEGRAM: ("preview",)}
# What the select offers; any other number of minutes that a post has is offered beside them.
POLL_MINUTES = {
    60: "1 hour",
    360: "6 hours",
    720: "12 hours",
    1440: "1 day",
    2880: "2 days",
    4320: "3 days",
    10080: "7 days",
}
MAX_FIELDS = 100


@dataclass
class PollField:
    choices: list[str] = field(default_factory=lambda: ["", ""])
    minutes: int = 1440

    @property
    def may_add(self) -> bool:
        return len(self.choices) < POLL_CHOICES[-1]

    @property
    def may_remove(self) -> bool:
        return len(self.choices) > POLL_CHOICES[0]

    @property
    def durations(self) -> list[tuple[int, str]]:
        offered = POLL_MINUTES | {self.minutes: POLL_MINUTES.get(self.minutes, f"{self.minutes} minutes")}
        return sorted(offered.items())

    @property
    def value(self) -> dict[str, Any]:
        return {"options": self.choices, "minutes": self.minutes}


@dataclass
class ButtonField:
    text: str = ""
    url: str = ""


@dataclass
class OptionFields:
    """`values` by network, as switches and selects give them; the rows of Telegram's buttons beside them."""

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[list[ButtonField]] = field(default_factory=list)

    @property
    def x(self) -> dict[str, Any]:
        return self.values.get(Network.X, {})

    @property
    def telegram(self) -> dict[str, Any]:
        return self.values.get(Network.TELEGRAM, {})

    @property
    def value(self) -> dict[str, Any]:
        """As the service takes it. An untouched button is none; a half-typed one is refused there."""
        rows = [[vars(button) for button in row if button.text or button.url] for row in self.rows]
        telegram = self.telegram | {"buttons": [row for row in rows if row]}
        return {Network.X.value: self.x, Network.TELEGRAM.value: telegram}


# --- reading ----------------------------------------------------------------------------------------------


def read_options(data: QueryDict) -> OptionFields:
    values: dict[str, dict[str, Any]] = {}
    for network, flags in FLAGS.items():
        given = {name: True for name in flags if f"{network}-{name}" in data}
        for name in CHOICES[network]:
            if chosen := str(data.get(f"{network}-{name}", "")):
                given[name] = chosen  # type: ignore[assignment]
        if given:
            values[network.value] = given
    return OptionFields(values, _read_rows(data))


def _read_rows(data: QueryDict) -> list[list[ButtonField]]:
    rows = []
    for number in range(MAX_FIELDS):
        name = f"button-{number}"
        if f"{name}-text" not in data:
            break
        pairs = zip(data.getlist(f"{name}-text"), data.getlist(f"{name}-url"), strict=False)
        rows.append([ButtonField(str(text), str(url)) for text, url in pairs])
    return rows


def read_poll(data: QueryDict, part: str) -> PollField | None:
    if f"{part}-poll-minutes" not in data:
        return None
    minutes = str(data.get(f"{part}-poll-minutes"))
    choices = [str(choice) for choice in data.getlist(f"{part}-poll-choice")][:MAX_FIELDS]
    choices += [""] * (POLL_CHOICES[0] - len(choices))
    return PollField(choices, int(minutes) if minutes.isdecimal() and len(minutes) < 6 else 1440)


def option_fields(options: dict[str, Any]) -> OptionFields:
    """From what a post has."""
    values = {network: dict(given) for network, given in options.items()}
    rows = values.get(Network.TELEGRAM, {}).pop("buttons", [])
    return OptionFields(values, [[ButtonField(**button) for button in row] for row in rows])


def poll_field(poll: dict[str, Any] | None) -> PollField | None:
    return PollField(list(poll["options"]), poll["minutes"]) if poll else None


# --- while typing -----------------------------------------------------------------------------------------


def usable_options(fields: OptionFields) -> tuple[dict[str, Any], list[str]]:
    """What the preview can show of them already, and what is still wrong."""
    try:
        return clean_options(fields.value), []
    except ValidationError as error:
        finished = OptionFields(fields.values, [])
        return _or_nothing(finished), list(error.messages)


def _or_nothing(fields: OptionFields) -> dict[str, Any]:
    try:
        return clean_options(fields.value)
    except ValidationError:
        return {}


def usable_poll(poll: PollField | None) -> tuple[dict[str, Any] | None, list[str]]:
    if poll is None:
        return None, []
    try:
        return clean_poll(poll.value), []
    except ValidationError as error:
        return poll.value, list(error.messages)


# --- buttons of the form ----------------------------------------------------------------------------------


def add_button(fields: OptionFields, row: int | None) -> None:
    """At the end of a row, or in a row of its own."""
    if row is None or row >= len(fields.rows):
        fields.rows.append([ButtonField()])
    else:
        fields.rows[row].append(ButtonField())


def remove_button(fields: OptionFields, row: int, place: int) -> None:
    del fields.rows[row][place]
    if not fields.rows[row]:
        del fields.rows[row]
