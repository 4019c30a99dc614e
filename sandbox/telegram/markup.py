"""What both markup parsers share: a text being built while a source is read."""

from typing import Any

from sandbox.telegram import urls
from sandbox.telegram.texts import Entity


class BadMarkup(Exception):
    """The text is Telegram's reason; offsets in it count bytes."""


class Writer:
    """The text so far, its length in UTF-16 units, and the entities found."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0
        self.entities: list[Entity] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def put(self, character: str) -> None:
        self._pieces.append(character)
        self.length += 1 + (character > "\uffff")

    def mark(self) -> int:
        return len(self._pieces)

    def since(self, mark: int) -> str:
        return "".join(self._pieces[mark:])

    def add(self, kind: str, start: int, **details: Any) -> None:
        """An entity from `start` to here; an empty one is dropped."""
        if self.length > start:
            self.entities.append(Entity(kind, start, self.length - start, details))

    def add_link(self, start: int, url: str) -> None:
        """Telegram keeps the words and drops the link when the address is none."""
        user_id = urls.mentioned_user(url)
        if user_id is not None:
            return self.add("text_mention", start, user={"id": user_id})
        try:
            return self.add("text_link", start, url=urls.checked(url))
        except urls.BadUrl:
            return None


def bytes_before(source: str, index: int) -> int:
    return len(source[:index].encode("utf-8", "surrogatepass"))


def custom_emoji_id(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise BadMarkup("Invalid custom emoji identifier specified")
    return text
