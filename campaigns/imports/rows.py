"""One row of a file, read with the workspace's accounts, files and campaigns in hand."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Func, Q, Value

from accounts.models import Workspace
from campaigns.hashtags import hashtag
from campaigns.imports.times import BadTime, read_moment
from campaigns.models import Campaign, MediaAsset, Post
from campaigns.source_config import LANGUAGE, MAX_LANGUAGE, MAX_TAG, MAX_TAGS
from social.models import Connection, Network
from social.networks.rules import MAX_PARTS, clean_text

MAX_TEXT, MAX_TITLE, MAX_NAME, MAX_ID, MAX_ALT, MAX_MEDIA = 25_000, 200, 120, 120, 1000, 10
SEVERAL = re.compile(r"[;|\n；]")
CHANNELS = re.compile(r"[;|,\n；，、]")
NEXT_PART = re.compile(r"^---$", re.MULTILINE)
MEDIA_BREAK = re.compile(r"(?<!\S)---(?!\S)")
LITERAL_BREAK = re.compile(r"^\\---$", re.MULTILINE)
YES = {"yes", "y", "true", "1", "x", "ja", "wahr", "是", "对", "√"}
NO = {"", "no", "n", "false", "0", "nein", "falsch", "否", "不"}


class RowError(Exception):
    """Everything that is wrong with a row, as sentences."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(" ".join(messages))
        self.messages = messages


@dataclass(frozen=True)
class MediaWish:
    asset_id: UUID
    # None where the file says nothing about it.
    alt_text: str | None = None


@dataclass(frozen=True)
class Row:
    """What a row asks for. None where the file has no such column: then a post keeps what it has."""

    number: int
    external_id: str
    texts: tuple[str, ...] | None
    connections: tuple[UUID, ...] = ()
    at: datetime | None = None
    media: tuple[tuple[MediaWish, ...], ...] | None = None
    title: str | None = None
    campaign: str | None = None
    tags: tuple[str, ...] | None = None
    language: str | None = None
    relationship: str | None = None
    made_with_ai: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Lookups:
    """By the names that people write; several under one name cannot be told apart."""

    connections: dict[str, list[Connection]]
    campaigns: dict[str, list[Campaign]]
    assets: dict[str, list[UUID]]
    by_id: dict[UUID, Connection] = field(default_factory=dict)


# --- what there is ----------------------------------------------------------------------------------------


def look_up(workspace: Workspace, media_names: Collection[str]) -> Lookups:
    connections: dict[str, list[Connection]] = defaultdict(list)
    by_id = {}
    for connection in Connection.objects.shown().filter(workspace=workspace):
        by_id[connection.pk] = connection
        handle = connection.handle.casefold()
        names = {str(connection.pk), connection.name.casefold(), handle, f"{connection.network}:{handle}"}
        names |= {f"{connection.network}:{connection.name.casefold()}", connection.remote_id.casefold()}
        for name in filter(None, names):
            connections[name].append(connection)
    campaigns: dict[str, list[Campaign]] = defaultdict(list)
    for campaign in Campaign.objects.filter(workspace=workspace).exclude(status=Campaign.Status.ARCHIVED):
        campaigns[campaign.name.casefold()].append(campaign)
    return Lookups(connections, campaigns, _assets(workspace, media_names), by_id)


def _assets(workspace: Workspace, names: Collection[str]) -> dict[str, list[UUID]]:
    """By full name, by the name without its folders, and by id."""
    bare = {_bare(name) for name in names}
    base = Func(F("name"), Value("^.*/"), Value(""), function="regexp_replace", output_field=CharField())
    ids = [UUID(name) for name in names if _is_uuid(name)]
    rows = MediaAsset.objects.filter(workspace=workspace).annotate(base=base)
    found: dict[str, list[UUID]] = defaultdict(list)
    for pk, name in rows.filter(Q(base__in=bare) | Q(pk__in=ids)).order_by("pk").values_list("pk", "name"):
        for key in {name, _bare(name), str(pk)}:
            found[key].append(pk)
    return found


def media_names(rows: Iterable[Mapping[str, str]]) -> set[str]:
    return {name for row in rows for part in _media_cells(row.get("media", "")) for name in part}


def _media_cells(cell: str) -> list[list[str]]:
    """Names by part of the thread."""
    return [_split(SEVERAL, part) for part in MEDIA_BREAK.split(cell)]


def _split(pattern: re.Pattern[str], cell: str) -> list[str]:
    return list(filter(None, (piece.strip() for piece in pattern.split(cell))))


def _bare(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


# --- reading ----------------------------------------------------------------------------------------------


def read_row(number: int, values: Mapping[str, str], zone: str, known: Lookups) -> Row:
    """Raises RowError with all that is wrong, so that a person need not come back for each mistake."""
    reader = _Reader(values, zone, known)
    row = reader.row(number)
    if reader.wrong:
        raise RowError(reader.wrong)
    return row


class _Reader:
    def __init__(self, values: Mapping[str, str], zone: str, known: Lookups) -> None:
        self.values, self.zone, self.known = values, zone, known
        self.wrong: list[str] = []
        self.notes: list[str] = []

    def row(self, number: int) -> Row:
        texts, media, connections = self._texts(), self._media(), self._connections()
        if not any(texts or ()) and not any(media or ()):
            self.wrong.append("There is no text and no file, so there is nothing to post.")
        at = self._moment()
        if at and not connections:
            self.notes.append("It has a time but no account, so it is not planned.")
        return Row(
            number=number,
            external_id=self._id(),
            texts=texts,
            connections=connections,
            at=at,
            media=media,
            title=self._short("title", MAX_TITLE),
            campaign=self._campaign(),
            tags=self._tags(),
            language=self._language(),
            relationship=self._relationship(),
            made_with_ai=self._made_with_ai(),
            notes=tuple(self.notes),
        )

    def _cell(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def _short(self, name: str, limit: int) -> str | None:
        if name not in self.values:
            return None
        if len(self._cell(name)) > limit:
            self.wrong.append(f"The {name.replace('_', ' ')} has more than {limit} characters.")
        return self._cell(name)

    def _id(self) -> str:
        given = self._short("external_id", MAX_ID)
        if given:
            return given
        # Without an id of its own a row is known by what it says, so that the same file makes nothing twice.
        said = {name: value for name, value in self.values.items() if value and name != "external_id"}
        return "row:" + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:40]

    def _texts(self) -> tuple[str, ...] | None:
        if "text" not in self.values:
            return None
        pieces = NEXT_PART.split(clean_text(self.values["text"]))
        texts = tuple(LITERAL_BREAK.sub("---", clean_text(piece)) for piece in pieces)
        if len(texts) > MAX_PARTS:
            self.wrong.append(f"A thread has at most {MAX_PARTS} parts; this one has {len(texts)}.")
        if any(len(text) > MAX_TEXT for text in texts):
            self.wrong.append(f"A part has at most {MAX_TEXT:,} characters.")
        return texts

    def _connections(self) -> tuple[UUID, ...]:
        found = [self._connection(name) for name in _split(CHANNELS, self._cell("channel"))]
        return tuple(dict.fromkeys(connection.pk for connection in found if connection))

    def _connection(self, written: str) -> Connection | None:
        network, colon, handle = written.casefold().partition(":")
        network, handle = network.strip(), handle.strip().lstrip("@")
        if colon and network not in Network.values and written.casefold() not in self.known.connections:
            known = ", ".join(Network.labels)
            self.wrong.append(f"“{written[:60]}”: we publish to {known} only.")
            return None
        name = f"{network}:{handle}" if colon else network.lstrip("@")
        found = self.known.connections.get(name) or self.known.connections.get(written.casefold()) or []
        if len(found) == 1:
            return found[0]
        why = (
            "Several accounts have this name: write the network before it, such as x:@name."
            if found
            else ("There is no such account here. Connect it first, or correct the name.")
        )
        self.wrong.append(f"“{written[:60]}”: {why}")
        return None

    def _media(self) -> tuple[tuple[MediaWish, ...], ...] | None:
        if "media" not in self.values:
            return None
        cells = _media_cells(self._cell("media"))
        alts = self._alt_texts(cells)
        parts = []
        for number, names in enumerate(cells):
            if len(names) > MAX_MEDIA:
                self.wrong.append(f"A part has at most {MAX_MEDIA} files.")
            found = [self._asset(name) for name in names]
            wishes = zip(found, alts[number], strict=True)
            parts.append(tuple(MediaWish(pk, alt) for pk, alt in wishes if pk))
        return tuple(parts)

    def _alt_texts(self, cells: list[list[str]]) -> list[list[str | None]]:
        """As many as there are files; where there is one file, the whole cell describes it."""
        if "alt_text" not in self.values:
            return [[None] * len(names) for names in cells]
        cell, count = self._cell("alt_text"), sum(map(len, cells))
        written = [piece.strip() for piece in re.split(r"[|\n]", cell)] if count > 1 else [cell]
        if cell and len(written) > count:
            self.wrong.append(f"There are more alt texts ({len(written)}) than files ({count}).")
        if any(len(text) > MAX_ALT for text in written):
            self.wrong.append(f"An alt text has more than {MAX_ALT:,} characters.")
        left = iter([*written, *[""] * count])
        return [[next(left) for _ in names] for names in cells]

    def _asset(self, name: str) -> UUID | None:
        found = self.known.assets.get(name) or self.known.assets.get(_bare(name)) or []
        if len(found) == 1:
            return found[0]
        if found:
            self.wrong.append(f"Several files in the library are called “{name[:80]}”. Rename one, or give its id.")
        else:
            self.wrong.append(f"There is no file “{name[:80]}” in the library. Upload it first, or correct the name.")
        return None

    def _moment(self) -> datetime | None:
        zone = self._cell("zone") or self.zone
        try:
            at, note = read_moment(self._cell("date"), self._cell("time"), zone)
        except BadTime as error:
            self.wrong.append(str(error))
            return None
        self.notes += [note] if note else []
        return at

    def _campaign(self) -> str | None:
        name = self._short("campaign", MAX_NAME)
        found = self.known.campaigns.get((name or "").casefold(), [])
        if name and len(found) > 1:
            self.wrong.append(f"Several campaigns are called “{name}”. Rename one.")
        if name and not found:
            self.notes.append(f"There is no campaign “{name}” yet: it is made.")
        return name

    def _tags(self) -> tuple[str, ...] | None:
        if "tags" not in self.values:
            return None
        tags = [tag.lstrip("#＃").strip() for tag in re.split(r"[,;，；、\n]", self._cell("tags"))]
        tags = list(dict.fromkeys(filter(None, tags)))
        if bad := [tag for tag in tags if len(tag) > MAX_TAG or not hashtag(tag)]:
            self.wrong.append(f"“{bad[0][:60]}” cannot be a tag.")
        if len(tags) > MAX_TAGS:
            self.wrong.append(f"At most {MAX_TAGS} tags.")
        return tuple(tags)

    def _language(self) -> str | None:
        if "language" not in self.values:
            return None
        code = self._cell("language")
        if code and (len(code) > MAX_LANGUAGE or not LANGUAGE.fullmatch(code)):
            self.wrong.append(f"“{code[:30]}” is no language code. Write one such as en, de or zh-CN.")
        return code

    def _relationship(self) -> str | None:
        if "relationship" not in self.values:
            return None
        word = "_".join(self._cell("relationship").lower().replace("-", " ").replace("_", " ").split())
        if word and word not in Post.Relationship.values:
            choices = ", ".join(value.replace("_", " ") for value in Post.Relationship.values)
            self.wrong.append(f"“{word[:30]}” is no tie to the brand. Write one of: {choices}.")
        return word or Post.Relationship.OWN_BRAND.value

    def _made_with_ai(self) -> bool | None:
        if "made_with_ai" not in self.values:
            return None
        word = self._cell("made_with_ai").casefold()
        if word not in YES | NO:
            self.wrong.append(f"“{word[:30]}”: write yes or no for “made with AI”.")
        return word in YES


def as_values(cells: list[str], columns: list[str], mapping: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a row by field."""
    by_column = dict(zip(columns, cells, strict=False))
    return {name: by_column.get(column, "") for name, column in mapping.items()}
