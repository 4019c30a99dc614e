"""Short links: made when a draft is saved, so that the approved text is the one that is sent."""

from collections.abc import Callable
from dataclasses import replace

from django.core.exceptions import ValidationError

from campaigns.drafts import PostDraft
from campaigns.models import Post
from social.networks.x.text import extract_urls

# Name (as people read it) to what makes an address short. It runs inside the transaction that saves: rows, no HTTP.
# The draft knows the campaign and the channels before the post does.
Shortener = Callable[[str, Post, PostDraft], str]
SHORTENERS: dict[str, Shortener] = {}


def with_short_links(draft: PostDraft, post: Post) -> PostDraft:
    """The draft itself where nobody asked for short links."""
    if not draft.shortener:
        return draft
    shorten = SHORTENERS.get(draft.shortener)
    if shorten is None:
        raise ValidationError({"shortener": "This link shortener is no longer available."})
    # One address is one link, however often it stands in the post.
    known: dict[str, str] = {}

    def short(url: str) -> str:
        if url not in known:
            known[url] = shorten(url, post, draft)
        return known[url]

    return replace(
        draft,
        parts=tuple(replace(part, text=_shortened(part.text, short)) for part in draft.parts),
        overrides={pk: [text and _shortened(text, short) for text in texts] for pk, texts in draft.overrides.items()},
    )


def _shortened(text: str, short: Callable[[str], str]) -> str:
    pieces, at = [], 0
    for link in extract_urls(text):
        pieces += [text[at : link.start], short(link.url)]
        at = link.end
    return "".join([*pieces, text[at:]])
