"""The composer's form: the whole post as it was typed, and the buttons that change its shape before it is saved."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from campaigns.drafts import MediaDraft, PartDraft, PostDraft
from campaigns.forms_post_options import (
    OptionFields,
    PollField,
    add_button,
    option_fields,
    poll_field,
    read_options,
    read_poll,
    remove_button,
)
from campaigns.models import Campaign, Delivery, Post
from campaigns.versions import content_of
from lib.text import storable
from social.networks.links import clean_reply_to
from social.networks.rules import MAX_PARTS, clean_text

# One more than a post may have, so that the service can say so.
MAX_FIELDS = MAX_PARTS + 1
WHEN = ("later", "at", "slot")
MAX_TAGS = 30


@dataclass
class MediaField:
    asset_id: UUID
    alt_text: str = ""


@dataclass
class PartField:
    text: str = ""
    media: list[MediaField] = field(default_factory=list)
    # Texts of its own for a connection; empty means the shared one.
    overrides: dict[UUID, str] = field(default_factory=dict)
    poll: PollField | None = None

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.media and not self.poll

    def text_for(self, connection_id: UUID) -> str:
        return self.overrides.get(connection_id) or self.text


@dataclass
class PostForm:
    parts: list[PartField]
    title: str = ""
    campaign_id: UUID | None = None
    connection_ids: list[UUID] = field(default_factory=list)
    made_with_ai: bool = False
    is_marked: bool = False
    options: OptionFields = field(default_factory=OptionFields)
    # As typed: the link of a post, or its id.
    reply_to: str = ""
    tags: str = ""
    language: str = ""
    relationship: str = Post.Relationship.OWN_BRAND.value
    # The name of a link shortener that is to be used; empty for none.
    shortener: str = ""
    when: str = "later"
    at: str = ""
    # Of the post as it was opened; none for a new one.
    revision: int | None = None
    # The post that is open, for what the page says about it.
    post_id: UUID | None = None
    # What a new one will be called: the same form sent twice makes one post.
    new_id: UUID | None = None
    # Whose texts are on the screen: the shared ones, or those of a connection.
    tab: UUID | None = None
    # The part for which files are chosen from the library, and the words searched there.
    library: int | None = None
    library_query: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return all(part.is_empty for part in self.parts)

    @property
    def top_errors(self) -> list[str]:
        beside = {"at", "connections", "campaign", "title", "reply_to", "tags", "relationship"}
        return [text for name, texts in self.errors.items() if name not in beside for text in texts]

    def add_errors(self, error: ValidationError) -> None:
        if hasattr(error, "error_dict"):
            for name, messages in error.message_dict.items():
                self.errors.setdefault(name, []).extend(messages)
        else:
            self.errors.setdefault(NON_FIELD_ERRORS, []).extend(error.messages)


# --- reading ----------------------------------------------------------------------------------------------


def read_form(data: QueryDict) -> PostForm:
    connection_ids = _uuids(data.getlist("connections"))
    numbers = takewhile(lambda number: f"part-{number}-text" in data and number < MAX_FIELDS, count())
    library, revision, when = _text(data, "library"), _text(data, "revision"), _text(data, "when")
    tab = _uuid(_text(data, "tab"))
    return PostForm(
        parts=[_read_part(data, number) for number in numbers] or [PartField()],
        title=_text(data, "title"),
        campaign_id=_uuid(_text(data, "campaign")),
        connection_ids=connection_ids,
        made_with_ai="made_with_ai" in data,
        is_marked="is_marked" in data,
        options=read_options(data),
        reply_to=_text(data, "reply_to"),
        tags=_text(data, "tags"),
        language=_text(data, "language"),
        relationship=_text(data, "relationship") or Post.Relationship.OWN_BRAND.value,
        shortener=_text(data, "shortener"),
        when=when if when in WHEN else "later",
        at=_text(data, "at"),
        revision=_number(revision),
        post_id=_uuid(_text(data, "post_id")),
        new_id=_uuid(_text(data, "new_id")),
        tab=tab if tab in connection_ids else None,
        library=_number(library),
        library_query=storable(_text(data, "library_query")),
    )


def _read_part(data: QueryDict, number: int) -> PartField:
    name = f"part-{number}"
    prefix = f"{name}-override-"
    overrides = {_uuid(key.removeprefix(prefix)): _text(data, key) for key in data if key.startswith(prefix)}
    return PartField(
        text=_text(data, f"{name}-text"),
        media=[
            MediaField(asset_id, _text(data, f"{name}-alt-{asset_id}"))
            for asset_id in _uuids(data.getlist(f"{name}-media"))
        ],
        overrides={key: text for key, text in overrides.items() if key and text.strip()},
        poll=read_poll(data, name),
    )


def _text(data: QueryDict, name: str) -> str:
    return str(data.get(name, ""))


def _number(value: str) -> int | None:
    # Longer ones are no numbers of ours, and Python refuses to read very long ones.
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _uuids(values: list[str]) -> list[UUID]:
    return list(dict.fromkeys(found for value in values if (found := _uuid(value))))


# --- from and to posts ------------------------------------------------------------------------------------


def form_of(post: Post) -> PostForm:
    rows = list(Delivery.objects.filter(post=post).select_related("connection"))
    parts = [
        PartField(
            text=part.text,
            media=[MediaField(use.asset_id, use.alt_text) for use in part.media.all()],
            overrides={row.connection_id: text for row in rows if (text := _override(row, part.position))},
            poll=poll_field(part.poll),
        )
        for part in post.parts.prefetch_related("media")
    ]
    return PostForm(
        parts=parts or [PartField()],
        title="" if _is_named_after_text(post, parts) else post.title,
        campaign_id=post.campaign_id,
        connection_ids=[row.connection_id for row in rows],
        made_with_ai=post.made_with_ai,
        is_marked=post.is_marked,
        options=option_fields(post.options),
        reply_to=post.reply_to,
        tags=", ".join(post.tags),
        language=post.language,
        relationship=post.relationship,
        revision=post.revision,
        post_id=post.pk,
    )


def _override(row: Delivery, position: int) -> str | None:
    return row.override_texts[position] if position < len(row.override_texts) else None


def _is_named_after_text(post: Post, parts: list[PartField]) -> bool:
    """Then the name follows the text when that changes."""
    return bool(parts) and parts[0].text.strip().startswith(post.title.rstrip("…"))


def to_draft(form: PostForm, campaign: Campaign | None) -> PostDraft:
    return PostDraft(
        parts=tuple(
            PartDraft(
                part.text,
                tuple(MediaDraft(item.asset_id, item.alt_text) for item in part.media),
                part.poll.value if part.poll else None,
            )
            for part in form.parts
        ),
        title=form.title,
        campaign=campaign,
        made_with_ai=form.made_with_ai,
        connections=tuple(form.connection_ids),
        overrides={
            connection_id: [part.overrides.get(connection_id) for part in form.parts]
            for connection_id in form.connection_ids
        },
        is_marked=form.is_marked,
        options=form.options.value,
        reply_to=clean_reply_to(form.reply_to),
        tags=read_tags(form.tags),
        language=form.language,
        relationship=form.relationship,
        shortener=form.shortener,
    )


def read_tags(typed: str) -> tuple[str, ...]:
    words = (word.strip().lstrip("#＃") for word in re.split(r"[,，、;\n]", storable(typed)))
    tags = tuple(dict.fromkeys(word[:80] for word in words if word))
    if len(tags) > MAX_TAGS:
        raise ValidationError({"tags": f"At most {MAX_TAGS} tags."})
    return tags


def says_the_same(form: PostForm, post: Post) -> bool:
    return _content(form) == _content(form_of(post))


def _content(form: PostForm) -> object:
    """What is compared: without the empty parts, and blind to white space around a text."""
    parts = [replace(part, text=clean_text(part.text)) for part in form.parts if not part.is_empty]
    try:
        content = content_of(to_draft(replace(form, parts=parts, shortener=""), None))
    except ValidationError:
        # Unfinished, so not what is saved.
        return form
    # The name follows the text, and the switch is the service's to set.
    return {name: value for name, value in content.items() if name not in {"title", "made_with_ai"}}


# --- buttons ----------------------------------------------------------------------------------------------


def apply_action(form: PostForm, action: str) -> None:
    """`name:argument:argument`, as the buttons send it. What no longer fits the form does nothing."""
    name, *arguments = action.split(":")
    act = ACTIONS.get(name)
    try:
        if act:
            act(form, *arguments)
    except (IndexError, ValueError, TypeError):
        return


def _add_part(form: PostForm) -> None:
    if len(form.parts) < MAX_PARTS:
        form.parts.append(PartField())


def _remove_part(form: PostForm, number: str) -> None:
    del form.parts[_index(number)]
    form.parts = form.parts or [PartField()]
    form.library = None


def _move_part(form: PostForm, number: str, step: str) -> None:
    _swap(form.parts, _index(number), int(step))
    form.library = None


def _add_media(form: PostForm, number: str, asset_id: str) -> None:
    media = form.parts[_index(number)].media
    chosen = UUID(asset_id)
    if all(item.asset_id != chosen for item in media):
        media.append(MediaField(chosen))


def _add_poll(form: PostForm, number: str) -> None:
    form.parts[_index(number)].poll = PollField()


def _remove_poll(form: PostForm, number: str) -> None:
    form.parts[_index(number)].poll = None


def _add_choice(form: PostForm, number: str) -> None:
    poll = form.parts[_index(number)].poll
    if poll and poll.may_add:
        poll.choices.append("")


def _remove_choice(form: PostForm, number: str, place: str) -> None:
    poll = form.parts[_index(number)].poll
    if poll and poll.may_remove:
        del poll.choices[_index(place)]


def _add_button(form: PostForm, row: str = "") -> None:
    add_button(form.options, _index(row) if row else None)


def _remove_button(form: PostForm, row: str, place: str) -> None:
    remove_button(form.options, _index(row), _index(place))


def _drop_buttons(form: PostForm) -> None:
    form.options.rows = []


def _remove_media(form: PostForm, number: str, position: str) -> None:
    del form.parts[_index(number)].media[_index(position)]


def _move_media(form: PostForm, number: str, position: str, step: str) -> None:
    _swap(form.parts[_index(number)].media, _index(position), int(step))


def _open_tab(form: PostForm, connection_id: str = "") -> None:
    form.tab = UUID(connection_id) if connection_id else None


def _copy_shared(form: PostForm) -> None:
    for part in form.parts:
        if form.tab:
            part.overrides[form.tab] = part.text


def _drop_own(form: PostForm) -> None:
    for part in form.parts:
        part.overrides.pop(form.tab, None)  # type: ignore[arg-type]


def _open_library(form: PostForm, number: str = "") -> None:
    form.library = _index(number) if number else None


def _index(value: str) -> int:
    """A negative index would count from the end."""
    if int(value) < 0:
        raise IndexError(value)
    return int(value)


def _swap(items: list, index: int, step: int) -> None:
    other = index + step
    if 0 <= other < len(items):
        items[index], items[other] = items[other], items[index]


ACTIONS: dict[str, Callable[..., None]] = {
    "part-add": _add_part,
    "part-remove": _remove_part,
    "part-move": _move_part,
    "media-add": _add_media,
    "media-remove": _remove_media,
    "media-move": _move_media,
    "poll-add": _add_poll,
    "poll-remove": _remove_poll,
    "choice-add": _add_choice,
    "choice-remove": _remove_choice,
    "button-add": _add_button,
    "button-remove": _remove_button,
    "buttons-drop": _drop_buttons,
    "tab": _open_tab,
    "text-copy": _copy_shared,
    "text-drop": _drop_own,
    "library": _open_library,
}
