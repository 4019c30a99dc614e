"""What an import will do: rows of one id become one post, held against the post that is there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from campaigns.imports.rows import Lookups, MediaWish, Row, RowError, as_values, look_up, media_names, read_row
from campaigns.models import Delivery, Import, Post, PostPart
from campaigns.rendering import MAX_PARTS
from campaigns.services import FROZEN, MediaDraft, PartDraft, PostDraft
from lib.clock import now
from social.networks.rules import check_part, clean_text

Action = Literal["create", "update", "same", "skip", "error"]
PUBLISHED = "It is published or on its way, so an import leaves it as it is."
SHARED = {"title": "title", "campaign": "campaign", "media": "files", "tags": "tags", "language": "language"}
SHARED |= {"made_with_ai": "AI label", "relationship": "tie to the brand"}


@dataclass
class Fate:
    """What becomes of a row. `is_done` once it is settled for good."""

    action: Action
    messages: list[str] = field(default_factory=list)
    post: str = ""
    is_done: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Group:
    """The rows that make one post: one for each account, or a single one."""

    rows: list[Row]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def external_id(self) -> str:
        return self.first.external_id

    @property
    def times(self) -> dict[UUID, datetime | None]:
        return {pk: row.at for row in self.rows for pk in row.connections}

    @property
    def texts(self) -> dict[UUID, tuple[str, ...]]:
        return {pk: row.texts for row in self.rows for pk in row.connections if row.texts is not None}


@dataclass
class Plan:
    """Groups in the order of the file, and the fates of rows that belong to none."""

    groups: list[Group]
    fates: dict[int, Fate]
    known: Lookups


def read_plan(imported: Import) -> Plan:
    values = [as_values(cells, imported.columns, imported.mapping) for cells in imported.rows]
    known = look_up(imported.workspace, media_names(values))
    fates: dict[int, Fate] = {}
    good: list[Row] = []
    for number, row in enumerate(values):
        try:
            good.append(read_row(number, row, imported.time_zone, known))
        except RowError as error:
            fates[number] = Fate("error", error.messages)
    groups = [_group(rows, fates) for rows in _by_id(good).values()]
    return Plan(sorted(groups, key=lambda group: group.first.number), fates, known)


def _by_id(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.external_id, []).append(row)
    return found


def _group(rows: list[Row], fates: dict[int, Fate]) -> Group:
    """Of rows with one id and one account the last one counts; rows for other accounts join it."""
    kept: list[Row] = []
    for row in reversed(rows):
        later = next((other for other in kept if _is_same_place(row, other)), None)
        if later is not None:
            text = f"Row {line(later)} has the same id and comes later, so that one counts."
            fates[row.number] = Fate("skip", [text])
        elif reason := _difference(row, kept):
            fates[row.number] = Fate("error", [reason])
        else:
            kept.append(row)
    return Group(kept[::-1])


def line(row: Row) -> int:
    """As spreadsheets count: the names of the columns are in the first."""
    return row.number + 2


def _is_same_place(row: Row, other: Row) -> bool:
    return bool(set(row.connections) & set(other.connections)) or not row.connections or not other.connections


def _difference(row: Row, kept: list[Row]) -> str:
    for other in kept[:1]:
        wrong = [label for name, label in SHARED.items() if getattr(row, name) != getattr(other, name)]
        if len(row.texts or ()) != len(other.texts or ()):
            wrong.append("number of parts")
        if wrong:
            return f"Row {line(other)} has the same id, but differs in: {', '.join(wrong)}. One post has one of each."
    return ""


# --- the posts that are there -----------------------------------------------------------------------------


def existing_posts(imported: Import, groups: Collection[Group]) -> dict[str, Post]:
    """By external id, or by the id that an export gives to posts without one."""
    names = {group.external_id for group in groups}
    ids = [UUID(name) for name in names if len(name) == 36 and _is_uuid(name)]
    posts = Post.objects.filter(workspace=imported.workspace)
    found = {str(post.pk): post for post in _whole(posts.filter(pk__in=ids))}
    return found | {post.external_id: post for post in _whole(posts.filter(external_id__in=names))}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _whole(posts: QuerySet[Post]) -> QuerySet[Post]:
    parts = PostPart.objects.order_by("position").prefetch_related("media__asset")
    rows = Delivery.objects.prefetch_related("live_parts")
    return posts.select_related("campaign").prefetch_related(Prefetch("parts", parts), Prefetch("deliveries", rows))


def decide(group: Group, post: Post | None, known: Lookups) -> Fate:
    notes = [note for row in group.rows for note in row.notes]
    if post is None:
        late = _in_the_past(group, {})
        refusals = [] if late else _refusals(group, known)
        return Fate("error", [*late, *notes]) if late else Fate("create", [*notes, *refusals])
    changes = _changes(group, post)
    if not changes:
        return Fate("same", [], str(post.pk))
    if is_frozen(post):
        return Fate("skip", [PUBLISHED], str(post.pk))
    if late := _in_the_past(group, {row.connection_id: row.scheduled_at for row in post.deliveries.all()}):
        return Fate("error", [*late, *notes], str(post.pk))
    return Fate("update", [f"Changes: {', '.join(changes)}.", *notes], str(post.pk))


def is_frozen(post: Post) -> bool:
    return any(row.state in FROZEN or row.live_parts.all() for row in post.deliveries.all())


def _in_the_past(group: Group, planned: Mapping[UUID, datetime | None]) -> list[str]:
    for pk, at in group.times.items():
        if at and at < now() and planned.get(pk) != at:
            return [f"{at:%Y-%m-%d %H:%M} UTC has passed. Choose a later time, or leave it out."]
    return []


def _refusals(group: Group, known: Lookups) -> list[str]:
    """What a network would say about a new post's texts; it becomes a draft all the same."""
    found = []
    for pk, texts in group.texts.items():
        connection = known.by_id[pk]
        has_media = any(group.first.media or ())
        messages = {text for part in texts if part or not has_media for text in check_part(connection, part, [])}
        found += [f"{connection}: {text}" for text in sorted(messages)]
    return found


def _changes(group: Group, post: Post) -> list[str]:
    """The names of what differs. Nothing is compared that the file does not speak of."""
    draft, row = as_draft(group, post, None), group.first
    now_draft = current_draft(post)
    changed = []
    if _has_other_texts(draft, now_draft):
        changed.append("text")
    if set(draft.connections) != set(now_draft.connections):
        changed.append("accounts")
    if [part.media for part in draft.parts] != [part.media for part in now_draft.parts]:
        changed.append("files")
    if row.title and row.title != post.title:
        changed.append("title")
    if row.campaign is not None and row.campaign.casefold() != (post.campaign.name if post.campaign else "").casefold():
        changed.append("campaign")
    if row.tags is not None and list(row.tags) != post.tags:
        changed.append("tags")
    if row.language is not None and row.language != post.language:
        changed.append("language")
    if row.relationship is not None and row.relationship != post.relationship:
        changed.append("tie to the brand")
    if row.made_with_ai is not None and row.made_with_ai != post.made_with_ai and not post.has_agent_text:
        changed.append("AI label")
    planned = {delivery.connection_id: delivery.scheduled_at for delivery in post.deliveries.all()}
    if any(at and planned.get(pk) != at for pk, at in group.times.items()):
        changed.append("time")
    return changed


def _has_other_texts(draft: PostDraft, before: PostDraft) -> bool:
    wanted, had = _texts_by_account(draft), _texts_by_account(before)
    common = wanted.keys() & had.keys()
    return any(wanted[pk] != had[pk] for pk in common) or (not common and _plain(draft) != _plain(before))


def _plain(draft: PostDraft) -> list[str]:
    return [clean_text(part.text) for part in draft.parts]


def _texts_by_account(draft: PostDraft) -> dict[UUID, list[str]]:
    """What each account gets: its own text, or the post's where it has none."""
    base, found = _plain(draft), {}
    for pk in draft.connections:
        own = [*(draft.overrides.get(pk) or []), *[None] * len(base)]
        found[pk] = [clean_text(text or "") or plain for plain, text in zip(base, own, strict=False)]
    return found


# --- drafts -----------------------------------------------------------------------------------------------


def current_draft(post: Post) -> PostDraft:
    """Expects parts and deliveries loaded."""
    rows = sorted(post.deliveries.all(), key=lambda row: row.created_at)
    return PostDraft(
        parts=tuple(
            PartDraft(part.text, tuple(MediaDraft(use.asset_id, use.alt_text) for use in part.media.all()), part.poll)
            for part in post.parts.all()
        ),
        title=post.title,
        campaign=post.campaign,
        made_with_ai=post.made_with_ai,
        connections=tuple(row.connection_id for row in rows),
        overrides={row.connection_id: row.override_texts for row in rows if row.override_texts},
        is_marked=post.is_marked,
        options=post.options,
        reply_to=post.reply_to,
        tags=tuple(post.tags),
        language=post.language,
        relationship=post.relationship,
    )


def as_draft(group: Group, post: Post | None, campaign: Any) -> PostDraft:
    """What the file asks for, on top of what the post has. The campaign is looked up by whoever saves it."""
    row = group.first
    before = current_draft(post) if post else PostDraft(parts=())
    wanted: dict[str, Any] = {"parts": _parts(row, before), "campaign": campaign}
    if group.times:
        wanted |= {"connections": tuple(group.times), "overrides": _overrides(group)}
    if row.title is not None:
        wanted["title"] = row.title or before.title
    for name in ("tags", "language", "relationship", "made_with_ai"):
        if getattr(row, name) is not None:
            wanted[name] = getattr(row, name)
    if post is None:
        wanted["external_id"] = row.external_id
    return replace(before, **wanted)


def _parts(row: Row, before: PostDraft) -> tuple[PartDraft, ...]:
    texts = row.texts if row.texts is not None else tuple(part.text for part in before.parts)
    media = row.media
    count = min(max(len(texts), len(media or ()), 1), MAX_PARTS)
    parts = []
    for number in range(count):
        old = before.parts[number] if number < len(before.parts) else PartDraft("")
        wishes = media[number] if media is not None and number < len(media) else ()
        kept = old.media if media is None else tuple(_media(wish, old) for wish in wishes)
        parts.append(PartDraft(texts[number] if number < len(texts) else "", kept, old.poll))
    return tuple(parts)


def _media(wish: MediaWish, old: PartDraft) -> MediaDraft:
    if wish.alt_text is not None:
        return MediaDraft(wish.asset_id, wish.alt_text)
    return next((use for use in old.media if use.asset_id == wish.asset_id), MediaDraft(wish.asset_id))


def _overrides(group: Group) -> dict[UUID, list[str | None]]:
    base = group.first.texts
    return {pk: list(texts) for pk, texts in group.texts.items() if texts != base}
