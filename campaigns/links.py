"""Short links: made when a draft is saved, so that the approved text is the one that is sent."""

from collections.abc import Callable
from dataclasses import replace

from django.core.exceptions import ValidationError

from campaigns.drafts import PostDraft
from campaigns.models import Post
from social.networks.x.text import extract_urls

# Name (as people read it) to what makes an address short. It runs inside the transaction that saves: rows, no HTTP.
SHORTENERS: dict[str, Callable[[str, Post], str]] = {}


def with_short_links(draft: PostDraft, post: Post) -> PostDraft:
    """The draft itself where nobody asked for short links."""
    if not draft.shortener:
        return draft
    shorten = SHORTENERS.get(draft.shortener)
    if shorten is None:
        raise ValidationError({"shortener": "This link shortener is no longer available."})
    # One address is one link, however often it stands in the post.
    known: dict[str, str] = {}
    return replace(
        draft,
        parts=tuple(replace(part, text=_shortened(part.text, post, shorten, known)) for part in draft.parts),
        overrides={
            pk: [text and _shortened(text, post, shorten, known) for text in texts]
            for pk, texts in draft.overrides.items()
        },
    )


def _shortened(text: str, post: Post, shorten: Callable[[str, Post], str], known: dict[str, str]) -> str:
    pieces, at = [], 0
    for link in extract_urls(text):
        if link.url not in known:
            known[link.url] = shorten(link.url, post)
        pieces += [text[at : link.start], known[link.url]]
        at = link.end
    return "".join([*pieces, text[at:]])
