"""How a source makes its posts: the shape of Source.config, and the template for their text."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError

from campaigns.hashtags import hashtag, hashtags_in
from lib.text import storable

PLACEHOLDERS = ("title", "summary", "text", "link", "tags", "source")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
FEED_TEMPLATE = "{title}\n\n{link}\n\n{tags}"
MAX_TEMPLATE, MAX_TAGS, MAX_TAG, MAX_LANGUAGE = 2000, 20, 50, 12
MAX_NEWEST = 20


@dataclass(frozen=True)
class SourceConfig:
    """`text_template` empty: the text as the source gives it. `newest_only`: drafts of a feed's first reading.

    `enhance` lets agents improve the texts; `submit` sends new posts to review.
    """

    text_template: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    enhance: bool = False
    newest_only: int = 3
    submit: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"tags": list(self.tags)}


@dataclass(frozen=True)
class Words:
    """What a file or an entry offers for the placeholders."""

    title: str = ""
    summary: str = ""
    text: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""


def read_config(stored: Mapping[str, Any]) -> SourceConfig:
    """As it was saved; what a later version of this code no longer knows is left out."""
    known = {name: stored[name] for name in SourceConfig.__dataclass_fields__ if name in stored}
    return SourceConfig(**known | {"tags": tuple(stored.get("tags", ()))})


def clean_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """For saving. Raises ValidationError beside each field that is wrong."""
    errors = {name: "There is no such option." for name in given if name not in SourceConfig.__dataclass_fields__}
    cleaned: dict[str, Any] = SourceConfig().as_json()
    for name, check in CHECKS.items():
        try:
            cleaned[name] = check(given.get(name, cleaned[name]))
        except ValidationError as error:
            errors[name] = error.messages[0]
    if errors:
        raise ValidationError(errors)
    return cleaned


def _template(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEMPLATE:
        raise ValidationError(f"Write at most {MAX_TEMPLATE:,} characters.")
    unknown = [name for name in PLACEHOLDER.findall(value) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValidationError(f"{{{unknown[0][:40]}}} is no placeholder. There are {known}.")
    return storable(value.replace("\r\n", "\n").strip())


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise ValidationError("Give a list of tags.")
    tags = [tag.strip().lstrip("#＃").strip() for tag in value]
    tags = list(dict.fromkeys(filter(None, tags)))
    if bad := [tag for tag in tags if len(tag) > MAX_TAG or not hashtag(tag)]:
        raise ValidationError(f"“{bad[0][:60]}” cannot be a tag: use letters and digits, at most {MAX_TAG}.")
    if len(tags) > MAX_TAGS:
        raise ValidationError(f"At most {MAX_TAGS} tags.")
    return tags


def _language(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_LANGUAGE or (value and not LANGUAGE.fullmatch(value)):
        raise ValidationError("Write a language code such as en, de or zh-CN.")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError("Choose yes or no.")
    return value


def _newest(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_NEWEST:
        raise ValidationError(f"Choose a number from 0 to {MAX_NEWEST}.")
    return value


CHECKS = {
    "text_template": _template,
    "tags": _tags,
    "language": _language,
    "enhance": _switch,
    "newest_only": _newest,
    "submit": _switch,
}


def fill(template: str, words: Words) -> str:
    """The text of a post. Values are put in as they are: a brace in one of them is only a brace."""
    bare = PLACEHOLDER.sub(lambda found: "" if found[1] == "tags" else _word(found, words), template)
    # A hashtag that the text has already is not written twice.
    present = hashtags_in(bare)
    wanted = dict.fromkeys(filter(None, map(hashtag, words.tags)))
    tags = " ".join(tag for tag in wanted if tag.casefold() not in present)
    text = PLACEHOLDER.sub(lambda found: tags if found[1] == "tags" else _word(found, words), template)
    return _tidy(text)


def _word(found: re.Match[str], words: Words) -> str:
    value: str = getattr(words, found[1])
    return value


def _tidy(text: str) -> str:
    """Lines that an empty placeholder left are closed up."""
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
