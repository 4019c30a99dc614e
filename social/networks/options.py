"""What only one network knows about a post: checked dicts without defaults, so that saying nothing changes no hash."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from lib.text import storable
from social.models import Network
from social.networks.telegram.limits import MAX_BUTTONS, is_web_address

REPLY_SETTINGS = {
    "following": "accounts this account follows",
    "mentionedUsers": "only accounts mentioned",
    "subscribers": "subscribers",
    "verified": "verified accounts",
}
PREVIEWS = {"off": "no preview", "above": "above the text", "large": "large", "small": "small"}
MAX_BUTTON_ROWS = 12
MAX_BUTTON_TEXT = 64
POLL_CHOICES = range(2, 5)
POLL_CHOICE_LENGTH = 25
POLL_MINUTES = range(5, 10_081)


def clean_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """{"x": {"reply_settings": …, "paid_partnership": true}, "telegram": {"silent", "pin", "protect": true,
    "preview": …, "buttons": [[{"text", "url"}]]}}. Raises ValidationError for anything else."""
    cleaned = {}
    for network, given in (options or {}).items():
        if network not in CLEAN or not isinstance(given, Mapping):
            raise ValidationError({"options": f"There are options for {' and '.join(CLEAN)}; not for {network}."})
        if unknown := given.keys() - CLEAN[network].keys():
            raise ValidationError({"options": f"{network} has no option {sorted(unknown)[0]}."})
        values = {name: clean(given[name]) for name, clean in CLEAN[network].items() if given.get(name)}
        if values := {name: value for name, value in values.items() if value}:
            cleaned[network] = values
    return cleaned


def clean_poll(poll: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """{"options": 2 to 4 texts of up to 25 characters, "minutes": 5 to 10,080}; None for no poll."""
    if not poll:
        return None
    given = poll.get("options") if isinstance(poll, Mapping) else None
    if not isinstance(given, list):
        raise ValidationError({"poll": "A poll is a list of choices and its minutes."})
    choices = [text for choice in given if (text := _text(choice))]
    minutes = poll.get("minutes", 1440)
    if len(choices) not in POLL_CHOICES:
        raise ValidationError({"poll": "A poll has 2 to 4 choices."})
    if any(len(choice) > POLL_CHOICE_LENGTH for choice in choices):
        raise ValidationError({"poll": f"A choice of a poll has at most {POLL_CHOICE_LENGTH} characters."})
    if len(set(choices)) < len(choices):
        raise ValidationError({"poll": "Two choices of the poll are the same."})
    if not isinstance(minutes, int) or minutes not in POLL_MINUTES:
        raise ValidationError({"poll": "A poll runs from 5 minutes to 7 days."})
    return {"options": choices, "minutes": minutes}


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError({"options": "Switches are true or false."})
    return value


def _one_of(choices: Mapping[str, str]) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValidationError({"options": f"Choose one of {', '.join(choices)}."})
        return value

    return clean


def _buttons(rows: Any) -> list[list[dict[str, str]]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValidationError({"buttons": "Buttons come in rows."})
    cleaned = [[_button(button) for button in row] for row in rows if row]
    if len(cleaned) > MAX_BUTTON_ROWS or sum(map(len, cleaned)) > MAX_BUTTONS:
        raise ValidationError({"buttons": f"At most {MAX_BUTTON_ROWS} rows of buttons fit below a message."})
    return cleaned


def _button(button: Any) -> dict[str, str]:
    facts = button if isinstance(button, Mapping) else {}
    text, url = _text(facts.get("text", "")), _text(facts.get("url", ""))
    if not text or len(text) > MAX_BUTTON_TEXT:
        raise ValidationError({"buttons": f"A button needs a text of up to {MAX_BUTTON_TEXT} characters."})
    if re.search(r"\s", url) or not is_web_address(url):
        raise ValidationError({"buttons": f"The button “{text}” needs an address that begins with https://."})
    return {"text": text, "url": url}


def _text(value: Any) -> str:
    return storable(str(value)).strip()


CLEAN: dict[str, dict[str, Callable[[Any], Any]]] = {
    Network.X: {"reply_settings": _one_of(REPLY_SETTINGS), "paid_partnership": _flag},
    Network.TELEGRAM: {
        "silent": _flag,
        "pin": _flag,
        "protect": _flag,
        "preview": _one_of(PREVIEWS),
        "buttons": _buttons,
    },
}
