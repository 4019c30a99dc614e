"""Every saved content of a post: what stood there, who wrote it, what changed since."""

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.access import Actor
from campaigns.drafts import MediaDraft, PartDraft, PostDraft
from campaigns.models import Campaign, MediaAsset, Post, PostVersion
from lib.text import storable
from social.models import Connection
from social.networks.options import clean_options, clean_poll

Content = dict[str, Any]


def keep_version(post: Post, draft: PostDraft, *, by: Actor) -> None:
    """Called within the transaction that saves. A save that changed nothing leaves no version."""
    content = content_of(draft)
    latest = PostVersion.objects.filter(post=post).first()
    if latest and latest.content == content:
        return
    author = str(by.user) if by.user else by.label
    PostVersion.objects.create(
        workspace=post.workspace, post=post, revision=post.revision, content=content, author=author[:120]
    )


def content_of(draft: PostDraft) -> Content:
    """As JSON, cleaned the way it is saved. What is absent is left out."""
    content = {
        "parts": [_part(part) for part in draft.parts],
        "title": draft.title,
        "campaign": str(draft.campaign.pk) if draft.campaign else None,
        "made_with_ai": draft.made_with_ai,
        "connections": sorted(str(pk) for pk in draft.connections),
        "overrides": {str(pk): texts for pk, texts in draft.overrides.items() if any(texts)},
        "is_marked": draft.is_marked,
        "options": clean_options(draft.options),
        "reply_to": draft.reply_to,
        "tags": list(draft.tags),
        "language": draft.language,
        # Absent where it is what nearly all posts are: former versions do not name it.
        "relationship": "" if draft.relationship == Post.Relationship.OWN_BRAND else draft.relationship,
    }
    return _storable({name: value for name, value in content.items() if value})


def _part(part: PartDraft) -> Content:
    media = [{"asset": str(item.asset_id), "alt_text": item.alt_text.strip()} for item in part.media]
    facts = {"text": part.text, "media": media, "poll": clean_poll(part.poll)}
    return {name: value for name, value in facts.items() if value or name == "text"}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(inner) for key, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value


def get_version(post: Post, revision: int) -> PostVersion:
    version = PostVersion.objects.filter(post=post, revision=revision).first()
    if version is None:
        raise Http404("No such version.")
    return version


def draft_of(version: PostVersion) -> PostDraft:
    """The content again, without what has gone since: files, accounts, the campaign."""
    content, workspace = version.content, version.workspace
    used = [item["asset"] for part in content["parts"] for item in part.get("media", [])]
    assets = set(MediaAsset.objects.filter(workspace=workspace, pk__in=used).values_list("pk", flat=True))
    shown = Connection.objects.shown().filter(workspace=workspace, pk__in=content.get("connections", []))
    connections = tuple(shown.values_list("pk", flat=True))
    overrides = {UUID(pk): texts for pk, texts in content.get("overrides", {}).items()}
    return PostDraft(
        parts=tuple(_part_draft(part, assets) for part in content["parts"]),
        title=content.get("title", ""),
        campaign=Campaign.objects.filter(workspace=workspace, pk=content.get("campaign")).first(),
        made_with_ai=content.get("made_with_ai", False),
        connections=connections,
        overrides={pk: texts for pk, texts in overrides.items() if pk in connections},
        is_marked=content.get("is_marked", False),
        options=content.get("options", {}),
        reply_to=content.get("reply_to", ""),
        tags=tuple(content.get("tags", [])),
        language=content.get("language", ""),
        relationship=content.get("relationship", Post.Relationship.OWN_BRAND.value),
    )


def _part_draft(part: Content, assets: set[UUID]) -> PartDraft:
    media = (MediaDraft(UUID(item["asset"]), item["alt_text"]) for item in part.get("media", []))
    return PartDraft(part["text"], tuple(item for item in media if item.asset_id in assets), part.get("poll"))


# --- as text, to compare ----------------------------------------------------------------------------------


def text_of(content: Content) -> str:
    """Everything that followers would see, as one text: what changed in it is shown word by word."""
    return "\n\n".join(_part_text(part) for part in content.get("parts", []))


def _part_text(part: Content) -> str:
    lines = [part["text"]]
    lines += [f"[file: {item['alt_text'] or 'no description'}]" for item in part.get("media", [])]
    lines += [f"( ) {choice}" for choice in (part.get("poll") or {}).get("options", [])]
    return "\n".join(lines)


def changed_besides_text(before: Content, after: Content) -> list[str]:
    """In words: what else differs."""
    found = [label for name, label in LABELS.items() if before.get(name) != after.get(name)]
    files = [
        [item["asset"] for part in content["parts"] for item in part.get("media", [])] for content in (before, after)
    ]
    return [*found, "the files"] if files[0] != files[1] else found


LABELS = {
    "title": "the name",
    "campaign": "the campaign",
    "connections": "the accounts",
    "overrides": "texts of single accounts",
    "made_with_ai": "the AI label",
    "is_marked": "formatting",
    "options": "options of the networks",
    "reply_to": "the post it answers",
    "tags": "the tags",
    "language": "the language",
    "relationship": "the tie to the brand",
}
