"""reply_markup: what buttons may be."""

from typing import Any

from sandbox.router import Call
from sandbox.telegram import parameters, problems, urls
from sandbox.telegram.parameters import field

MAX_DATA_BYTES = 64
MAX_BUTTONS = 100
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_OTHER_FLAGS = {
    "keyboard": ("is_persistent", "resize_keyboard", "one_time_keyboard", "selective"),
    "remove_keyboard": ("remove_keyboard", "selective"),
    "force_reply": ("force_reply", "selective"),
}


def read(call: Call) -> dict[str, Any] | None:
    """The inline keyboard; other kinds are checked and then belong to the app, not to the message."""
    markup = parameters.of(call).object("reply_markup")
    if markup is None or markup == {}:
        return None
    if not isinstance(markup, dict):
        raise problems.bad_request("object expected as reply markup")
    if "inline_keyboard" not in markup:
        _check_other(markup)
        return None
    rows = field(markup, "inline_keyboard", list, [])
    kept = [[_button(button) for button in _row(row)] for row in rows]
    kept = [row for row in kept if row]
    if sum(map(len, kept)) > MAX_BUTTONS:
        raise problems.bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": kept} if kept else None


def _check_other(markup: dict[str, Any]) -> None:
    kind = next((name for name in _OTHER_FLAGS if name in markup), None)
    if kind is None:
        raise problems.bad_request("object expected as reply markup")
    if kind == "keyboard":
        field(markup, "keyboard", list)
    for name in _OTHER_FLAGS[kind]:
        field(markup, name, bool)


def _row(row: Any) -> list[Any]:
    if not isinstance(row, list):
        raise problems.bad_request('field "inline_keyboard" must be an Array of Arrays')
    return row


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise _unreadable("InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise _unreadable('Can\'t find field "text"')
    if not isinstance(button["text"], str):
        raise _unreadable('Field "text" must be of type String')
    actions = [name for name in _ACTIONS if button.get(name) not in (None, "", False)]
    if not actions:
        raise _unreadable("Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1 or actions[0] in ("pay", "callback_game"):
        raise problems.bad_request("BUTTON_TYPE_INVALID")
    if not button["text"].strip():
        raise problems.bad_request("BUTTON_TEXT_INVALID")
    _check_action(actions[0], button[actions[0]])
    kept = {"text": button["text"], actions[0]: button[actions[0]]}
    return {**kept, "url": urls.checked(button["url"])} if actions[0] == "url" else kept


def _check_action(action: str, value: Any) -> None:
    if action in ("url", "callback_data") and not isinstance(value, str):
        raise _unreadable(f'Field "{action}" must be of type String')
    if action == "callback_data" and len(value.encode()) > MAX_DATA_BYTES:
        raise problems.bad_request("BUTTON_DATA_INVALID")
    if action == "url":
        try:
            urls.checked(value)
        except urls.BadUrl as error:
            raise problems.bad_request(f"inline keyboard button URL '{value}' is invalid: {error}") from None
    if action == "web_app" and not str(value.get("url", "")).startswith("https://"):
        raise problems.bad_request(
            f"inline keyboard button Web App URL '{value.get('url', '')}' is invalid: Only HTTPS links are allowed"
        )


def _unreadable(reason: str) -> Exception:
    return problems.bad_request(f"can't parse inline keyboard button: {reason}")
