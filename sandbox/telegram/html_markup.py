"""parse_mode HTML, tag by tag as Telegram's own parser reads it."""

import re
from dataclasses import dataclass

from sandbox.telegram.markup import BadMarkup, Writer, bytes_before, custom_emoji_id
from sandbox.telegram.texts import Entity

_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
}
_TAGS = {*_STYLES, "a", "pre", "code", "blockquote", "tg-emoji"}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x(?P<hex>[0-9a-fA-F]*)|#(?P<number>[0-9]*)|(?P<name>[a-zA-Z]*));?")
_SPACE = " \t\n\r\v\f\0"
# Telegram's argument of a tag, and the attribute it is read from.
_ARGUMENTS = {
    ("a", "href"): "",
    ("code", "class"): "language-",
    ("span", "class"): "tg-",
    ("tg-emoji", "emoji-id"): "",
}


@dataclass(frozen=True)
class _Tag:
    name: str
    argument: str
    start: int
    mark: int


def parse(source: str) -> tuple[str, list[Entity]]:
    writer, open_tags, at = Writer(), list[_Tag](), 0
    while at < len(source):
        if source[at] == "&":
            character, at = _reference(source, at)
            writer.put(character)
        elif source[at] != "<":
            writer.put(source[at])
            at += 1
        elif source[at + 1 : at + 2] == "/":
            at = _close(source, at, open_tags, writer)
        else:
            name, argument, end = _start_tag(source, at)
            open_tags.append(_Tag(name, argument, writer.length, writer.mark()))
            at = end
    if open_tags:
        raise BadMarkup(f'Can\'t find end tag corresponding to start tag "{open_tags[-1].name}"')
    if any("\ud800" <= character <= "\udfff" for character in writer.text):
        raise BadMarkup(
            "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched "
            "surrogate code units"
        )
    return writer.text, [_without_lone_language(entity) for entity in writer.entities]


def _without_lone_language(entity: Entity) -> Entity:
    return Entity("code", entity.offset, entity.length) if entity.type == "code" else entity


def _reference(source: str, at: int) -> tuple[str, int]:
    """The character a reference stands for; the ampersand itself when it is none."""
    found = _REFERENCE.match(source, at)
    assert found is not None
    code = 0
    if found["hex"] or found["number"]:
        code = int(found["hex"], 16) if found["hex"] else int(found["number"])
    elif found["name"] in _NAMED:
        code = ord(_NAMED[found["name"]])
    is_too_long = len(found.group().rstrip(";")) >= 10
    if code == 0 or code >= 0x10FFFF or is_too_long:
        return "&", at + 1
    return chr(code), found.end()


def _start_tag(source: str, begin: int) -> tuple[str, str, int]:
    """(name, argument, where the text goes on)"""
    at = _skip(source, begin + 1, until=_SPACE + ">")
    _check_open(source, at, begin)
    name = source[begin + 1 : at].lower()
    if name not in _TAGS:
        raise BadMarkup(f'Unsupported start tag "{name}" at byte offset {bytes_before(source, begin)}')
    argument = ""
    while True:
        at = _skip_space(source, at)
        _check_open(source, at, begin)
        if source[at] == ">":
            break
        attribute, value, at = _attribute(source, at, name, begin)
        if (name, attribute) == ("blockquote", "expandable"):
            argument = "expandable"
        prefix = _ARGUMENTS.get((name, attribute))
        if prefix is not None and value.startswith(prefix):
            argument = value.removeprefix(prefix)
    if name == "span" and argument != "spoiler":
        raise BadMarkup(f'Tag "span" must have class "tg-spoiler" at byte offset {bytes_before(source, begin)}')
    return name, argument, at + 1


def _check_open(source: str, at: int, begin: int) -> None:
    if at >= len(source):
        raise BadMarkup(f"Unclosed start tag at byte offset {bytes_before(source, begin)}")


def _attribute(source: str, start: int, tag: str, begin: int) -> tuple[str, str, int]:
    place = f'tag "{tag}" at byte offset {bytes_before(source, begin)}'
    at = _skip(source, start, until=_SPACE + "=" + (">" if tag == "blockquote" else ""))
    attribute = source[start:at]
    if not attribute:
        raise BadMarkup(f"Empty attribute name in the {place}")
    at = _skip_space(source, at)
    if attribute == "expandable" and source[at : at + 1] != "=":
        return attribute, "", at
    if source[at : at + 1] != "=":
        raise BadMarkup(f"Expected equal sign in declaration of an attribute of the {place}")
    at = _skip_space(source, at + 1)
    if at >= len(source):
        raise BadMarkup(f"Unclosed start {place}")
    value, at = _quoted(source, at) if source[at] in "'\"" else _name_token(source, at)
    _check_open(source, at, begin)
    return attribute, value, at


def _name_token(source: str, start: int) -> tuple[str, int]:
    at = start
    while at < len(source) and source[at].isascii() and (source[at].isalnum() or source[at] in ".-"):
        at += 1
    if at < len(source) and source[at] not in _SPACE + ">":
        raise BadMarkup(f"Unexpected end of name token at byte offset {bytes_before(source, start)}")
    return source[start:at].lower(), at


def _quoted(source: str, start: int) -> tuple[str, int]:
    value, at = "", start + 1
    while at < len(source) and source[at] != source[start]:
        if source[at] == "&":
            character, at = _reference(source, at)
            value += character
        else:
            value += source[at]
            at += 1
    return value, at + 1


def _close(source: str, begin: int, open_tags: list[_Tag], writer: Writer) -> int:
    place = f"at byte offset {bytes_before(source, begin)}"
    if not open_tags:
        raise BadMarkup(f"Unexpected end tag {place}")
    at = _skip(source, begin, until=_SPACE + ">")
    name = source[begin + 2 : at].lower()
    at = _skip_space(source, at)
    if source[at : at + 1] != ">":
        raise BadMarkup(f"Unclosed end tag {place}")
    tag = open_tags[-1]
    if name and name != tag.name:
        raise BadMarkup(f'Unmatched end tag {place}, expected "</{tag.name}>", found "</{name}>"')
    open_tags.pop()
    _add(writer, tag)
    return at + 1


def _add(writer: Writer, tag: _Tag) -> None:
    if tag.name in _STYLES:
        writer.add(_STYLES[tag.name], tag.start)
    elif tag.name == "a":
        writer.add_link(tag.start, tag.argument or writer.since(tag.mark))
    elif tag.name == "blockquote":
        writer.add("expandable_blockquote" if tag.argument else "blockquote", tag.start)
    elif tag.name == "tg-emoji":
        writer.add("custom_emoji", tag.start, custom_emoji_id=custom_emoji_id(tag.argument))
    else:
        _add_code(writer, tag)


def _add_code(writer: Writer, tag: _Tag) -> None:
    """`pre` around `code` or `code` around `pre`: one block with the language of the code."""
    inner = writer.entities[-1] if writer.entities else None
    is_same = inner is not None and (inner.offset, inner.end) == (tag.start, writer.length)
    language = {"language": tag.argument} if tag.argument else {}
    if inner is not None and is_same and tag.name == "pre" and inner.type == "code" and inner.details:
        writer.entities[-1] = Entity("pre", inner.offset, inner.length, inner.details)
    elif inner is not None and is_same and tag.name == "code" and inner.type == "pre" and language:
        writer.entities[-1] = Entity("pre", inner.offset, inner.length, language)
    else:
        writer.add(tag.name, tag.start, **language)


def _skip(source: str, at: int, *, until: str) -> int:
    while at < len(source) and source[at] not in until:
        at += 1
    return at


def _skip_space(source: str, at: int) -> int:
    while at < len(source) and source[at] in _SPACE:
        at += 1
    return at
