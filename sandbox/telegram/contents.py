"""Reading what a message is to say: text or caption with its entities."""

from typing import Any

from sandbox.router import Call
from sandbox.telegram import html_markup, markdown_markup, parameters, people, problems, urls
from sandbox.telegram.markup import BadMarkup
from sandbox.telegram.parameters import is_number
from sandbox.telegram.texts import AUTOMATIC, CODES, QUOTES, STYLES, Entity, FormattedText, settle, utf16_length

MAX_TEXT = 4096
MAX_CAPTION = 1024
_PARSERS = {
    "html": html_markup.parse,
    "markdownv2": markdown_markup.parse_v2,
    "markdown": markdown_markup.parse_legacy,
}
# What a known type needs besides its place.
_NEEDS = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id", "date_time": "unix_time"}
_KNOWN = {*STYLES, *QUOTES, *CODES, *AUTOMATIC, *_NEEDS}


def read_text(call: Call) -> FormattedText:
    values = parameters.of(call).values
    if not parameters.of(call).text("text"):
        raise problems.bad_request("message text is empty")
    content = read(call, {**values, "entities": parameters.of(call).object("entities")}, "text", "entities")
    if not content.text:
        raise problems.bad_request("text must be non-empty")
    if utf16_length(content.text) > MAX_TEXT:
        raise problems.bad_request("message is too long")
    return content


def read_caption(call: Call, source: dict[str, Any] | None = None) -> FormattedText:
    """Of the call, or of one item of an album."""
    if source is None:
        entities = parameters.of(call).object("caption_entities")
        source = {**parameters.of(call).values, "caption_entities": entities}
    content = read(call, source, "caption", "caption_entities")
    if utf16_length(content.text) > MAX_CAPTION:
        raise problems.bad_request("message caption is too long")
    return content


def read(call: Call, source: dict[str, Any], name: str, entities_name: str) -> FormattedText:
    text, mode = parameters.whole(str(source.get(name) or "")), str(source.get("parse_mode") or "").lower()
    given = source.get(entities_name)
    if not mode or mode == "none":
        content = settle(text, [_entity(call, one) for one in _list(given, entities_name)])
    elif given:
        # Telegram drops the entities without a word; here the mistake is heard.
        raise problems.bad_request(f"parse_mode and {entities_name} can't be used together")
    else:
        content = settle(*_parsed(text, mode))
    return FormattedText(content.text, [one for one in content.entities if _is_known_user(call, one)])


def _parsed(text: str, mode: str) -> tuple[str, list[Entity]]:
    parser = _PARSERS.get(mode)
    if parser is None:
        raise problems.bad_request("unsupported parse_mode")
    try:
        return parser(text)
    except BadMarkup as error:
        raise problems.bad_request(f"can't parse entities: {error}") from None


def _list(given: Any, name: str) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise problems.bad_request(f"can't parse {name} JSON object")
    return given


def _is_known_user(call: Call, entity: Entity) -> bool:
    return entity.type != "text_mention" or people.user(call.db, entity.details["user"]["id"]) is not None


def _entity(call: Call, given: Any) -> Entity:
    if not isinstance(given, dict):
        raise _unreadable("expected an Object")
    kind = given.get("type")
    if kind not in _KNOWN:
        raise _unreadable("Unsupported type specified")
    for name in ("offset", "length"):
        if not is_number(given.get(name)):
            raise _unreadable(f'Field "{name}" must be of type Integer')
    need = _NEEDS.get(kind)
    if need and need not in given:
        raise _unreadable(f'Can\'t find field "{need}"')
    return Entity(kind, given["offset"], given["length"], _details(call, kind, given))


def _details(call: Call, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    if kind == "text_link":
        try:
            return {"url": urls.checked(str(given["url"]))}
        except urls.BadUrl as error:
            raise problems.bad_request(f"entity URL '{given['url']}' is invalid: {error}") from None
    if kind == "text_mention":
        user_id = given["user"].get("id") if isinstance(given["user"], dict) else None
        if not is_number(user_id) or people.user(call.db, user_id) is None:
            raise problems.bad_request("user not found")
        return {"user": {"id": user_id}}
    if kind == "custom_emoji":
        if not str(given["custom_emoji_id"]).isdigit() or int(given["custom_emoji_id"]) >= 2**63:
            raise _unreadable('Field "custom_emoji_id" must be a valid Number')
        return {"custom_emoji_id": str(given["custom_emoji_id"])}
    if kind == "date_time":
        if not is_number(given["unix_time"]):
            raise _unreadable('Field "unix_time" must be of type Integer')
        return {name: given[name] for name in ("unix_time", "date_time_format") if given.get(name) is not None}
    return {"language": given["language"]} if kind == "pre" and given.get("language") else {}


def _unreadable(reason: str) -> Exception:
    return problems.bad_request(f"can't parse MessageEntity: {reason}")
