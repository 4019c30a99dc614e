"""Plan and results as a table: one row for each account of a post. What is exported can be imported again."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, F, Func, Prefetch, Value

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import Delivery, MediaAsset, Post, PostPart
from lib.csv_cells import DEFUSED, csv_lines, defuse

COLUMNS = (
    *("external_id", "channel", "text", "media", "alt_text", "time", "timezone", "title", "campaign", "tags"),
    *("language", "relationship", "made_with_ai", "state", "published_at", "url", "problem"),
)
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
BATCH = 200
PART_BREAK = re.compile(r"^(---)$", re.MULTILINE)
# Characters that separate files in a cell.
SEPARATING = re.compile(r"[;|\n；]|(^|\s)---(\s|$)")
Line = dict[str, str]


@dataclass(frozen=True)
class Export:
    """Ids first, rows later in short transactions: a long download holds none open."""

    workspace: Workspace
    ids: Sequence[UUID]
    # Guests see no problems of the engine.
    has_problems: bool = True

    def lines(self) -> Iterator[Line]:
        twins = None
        for start in range(0, len(self.ids), BATCH):
            with workspace_scope(self.workspace.pk):
                twins = _twins(self.workspace) if twins is None else twins
                posts = _whole(self.ids[start : start + BATCH])
                found = [line for post in posts for line in _lines(post, self.workspace.time_zone, twins)]
            yield from found if self.has_problems else ({**line, "problem": ""} for line in found)


def export_posts(posts: Any, *, by: Actor) -> Export:
    """Expects posts that the actor may see, in their order."""
    ids = list(dict.fromkeys(posts.values_list("pk", flat=True)))
    return Export(by.workspace, ids, has_problems=not by.is_guest)


def _whole(ids: Sequence[UUID]) -> list[Post]:
    parts = PostPart.objects.order_by("position").prefetch_related("media__asset")
    rows = Delivery.objects.select_related("connection").prefetch_related("live_parts").order_by("created_at")
    posts = Post.objects.filter(pk__in=ids).select_related("campaign")
    found = {post.pk: post for post in posts.prefetch_related(Prefetch("parts", parts), Prefetch("deliveries", rows))}
    return [found[pk] for pk in ids if pk in found]


def _twins(workspace: Workspace) -> set[str]:
    """Names, without folders, that several files of the library share."""
    base = Func(F("name"), Value("^.*/"), Value(""), function="regexp_replace", output_field=CharField())
    named = MediaAsset.objects.filter(workspace=workspace).annotate(base=base).order_by().values("base")
    return set(named.annotate(number=Count("pk")).filter(number__gt=1).values_list("base", flat=True))


# --- one post ---------------------------------------------------------------------------------------------


def _lines(post: Post, zone: str, twins: set[str]) -> list[Line]:
    parts = list(post.parts.all())
    shared = {
        "external_id": post.external_id or str(post.pk),
        "media": _media(parts, twins),
        "alt_text": _alt_texts(parts),
        "timezone": zone,
        "title": post.title,
        "campaign": post.campaign.name if post.campaign else "",
        "tags": ", ".join(post.tags),
        "language": post.language,
        "relationship": post.relationship,
        "made_with_ai": "yes" if post.made_with_ai else "no",
    }
    rows = list(post.deliveries.all())
    lines = [shared | _of_delivery(row, parts, zone) for row in rows]
    return [_ordered(line) for line in lines or [shared | {"text": _text([part.text for part in parts])}]]


def _ordered(line: Line) -> Line:
    return {name: line.get(name, "") for name in COLUMNS}


def _of_delivery(row: Delivery, parts: list[PostPart], zone: str) -> Line:
    own = [*(row.override_texts or []), *[None] * len(parts)]
    connection = row.connection
    return {
        "channel": f"{connection.network}:@{connection.handle}" if connection.handle else str(connection.pk),
        "text": _text([text or part.text for part, text in zip(parts, own, strict=False)]),
        "time": _wall_clock(row.scheduled_at, zone),
        "state": row.state,
        "published_at": _wall_clock(row.published_at, zone),
        "url": " ".join(part.url for part in row.live_parts.all() if part.deleted_at is None),
        "problem": row.problem_text,
    }


def _text(texts: Iterable[str]) -> str:
    return "\n---\n".join(PART_BREAK.sub(r"\\\1", text.replace("\r\n", "\n")) for text in texts)


def _wall_clock(at: datetime | None, zone: str) -> str:
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    # Of an hour that comes twice, the second one needs its offset.
    form = "%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M"
    return f"{local:{form}}{local.isoformat()[-6:]}" if local.fold else f"{local:{form}}"


def _media(parts: list[PostPart], twins: set[str]) -> str:
    cells = ["; ".join(_file_name(use.asset, twins) for use in part.media.all()) for part in parts]
    while cells and not cells[-1]:
        cells.pop()
    return " --- ".join(cells)


def _file_name(asset: MediaAsset, twins: set[str]) -> str:
    is_plain = asset.name.rsplit("/", 1)[-1] not in twins and not SEPARATING.search(asset.name)
    return asset.name if is_plain else str(asset.pk)


def _alt_texts(parts: list[PostPart]) -> str:
    texts = [use.alt_text for part in parts for use in part.media.all()]
    if len(texts) > 1:
        texts = [re.sub(r"\s*[|\n]\s*", " / ", text) for text in texts]
    return " | ".join(texts) if any(texts) else ""


# --- files ------------------------------------------------------------------------------------------------


def as_csv(export: Export) -> Iterator[str]:
    """With a mark in front, without which Excel takes UTF-8 for something else."""
    yield "\ufeff" + csv_lines([COLUMNS])
    for line in export.lines():
        yield csv_lines([line.values()])


def as_json(export: Export) -> Iterator[str]:
    yield "["
    for number, line in enumerate(export.lines()):
        yield (",\n" if number else "\n") + json.dumps(line, ensure_ascii=False)
    yield "\n]\n"


def as_xlsx(export: Export) -> IO[bytes]:
    """Written row by row into a file that goes away when it is closed."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Plan")

    def text_cell(value: str) -> WriteOnlyCell:
        # An import takes one mark away wherever it stands before a formula.
        value = defuse(value) if DEFUSED.match(value) else value
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        # Text, whatever it begins with.
        cell.data_type = "s"
        return cell

    sheet.append([text_cell(name) for name in COLUMNS])
    for line in export.lines():
        sheet.append([text_cell(value) for value in line.values()])
    file = TemporaryFile()  # noqa: SIM115 the response closes it
    book.save(file)
    file.seek(0)
    return file
