"""A rendered text as safe HTML: links and names coloured, formatting applied, what is too long marked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from social.models import Network
from social.networks.port import Entity
from social.networks.x.entities import find_cashtags, find_hashtags, find_mentions
from social.networks.x.text import extract_urls, parse_tweet

# The outer first: pieces that lie in several are nested in this order.
TAGS = {
    "over": ("span", "over"),
    "text_link": ("span", "entity"),
    "entity": ("span", "entity"),
    "bold": ("b", ""),
    "italic": ("i", ""),
    "underline": ("u", ""),
    "strikethrough": ("s", ""),
    "spoiler": ("span", "spoiler"),
    "code": ("code", ""),
}
# Named like their elements.
BLOCKS = {"blockquote", "pre"}


@dataclass(frozen=True)
class Span:
    """In code points."""

    start: int
    end: int
    kind: str
    title: str = ""


def mark_x(text: str, limit: int, entities: Sequence[Entity] = ()) -> SafeString:
    """X has no formatting: links, mentions and tags in its colour, and what runs past the limit."""
    found = [Span(link.start, link.end, "entity") for link in extract_urls(text)]
    for find in (find_mentions, find_hashtags, find_cashtags):
        found += [Span(entity.start, entity.end, "entity") for entity in find(text)]
    return _marked(text, [*found, *_over(text, _fitting_x(text, limit))])


def mark_telegram(text: str, limit: int, entities: Sequence[Entity] = ()) -> SafeString:
    """Formatting as it was read from the marks; links and names that Telegram finds by itself."""
    offsets = _code_points(text)
    spans = [
        Span(offsets[entity.offset], offsets[entity.offset + entity.length], entity.kind, entity.url)
        for entity in entities
        if entity.offset + entity.length < len(offsets)
    ]
    verbatim = [span for span in spans if span.kind in {"code", "pre", "text_link"}]
    found = [(link.start, link.end) for link in extract_urls(text)]
    found += [(entity.start, entity.end) for find in (find_mentions, find_hashtags) for entity in find(text)]
    spans += [Span(start, end, "entity") for start, end in found if not _lies_in(start, end, verbatim)]
    fitting = offsets[limit] if limit < len(offsets) else len(text)
    return _marked(text, [*spans, *_over(text, fitting)])


MARKED: dict[str, Callable[[str, int, Sequence[Entity]], SafeString]] = {
    Network.X: mark_x,
    Network.TELEGRAM: mark_telegram,
}


def _lies_in(start: int, end: int, spans: Iterable[Span]) -> bool:
    return any(span.start < end and start < span.end for span in spans)


def _over(text: str, fitting: int) -> list[Span]:
    return [Span(fitting, len(text), "over")] if fitting < len(text) else []


def _fitting_x(text: str, limit: int) -> int:
    """How many code points fit."""
    parsed = parse_tweet(text, limit)
    if parsed.weighted_length <= limit:
        return len(text)
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * (parsed.valid_range[1] + 1)]
    return len(units.decode("utf-16-le", "surrogatepass"))


def _code_points(text: str) -> list[int]:
    """For each UTF-16 offset, up to the end, the code point it lies in."""
    offsets = []
    for place, character in enumerate(text):
        offsets += [place, place] if character > "\uffff" else [place]
    return [*offsets, len(text)]


# --- to HTML ----------------------------------------------------------------------------------------------


def _marked(text: str, spans: Sequence[Span]) -> SafeString:
    """Cut at every border, so that spans that overlap still make well-formed HTML."""
    coming = sorted((span for span in spans if span.start < span.end), key=lambda span: span.start, reverse=True)
    borders = sorted({0, len(text)} | {border for span in coming for border in (span.start, span.end)})
    html: list[str] = []
    active: list[Span] = []
    block: Span | None = None
    for start, end in pairwise(borders):
        active = [span for span in active if span.end > start]
        while coming and coming[-1].start <= start:
            active.append(coming.pop())
        within = next((span for span in active if span.kind in BLOCKS), None)
        if within is not block:
            html += [f"</{block.kind}>" if block else "", f"<{within.kind}>" if within else ""]
            block = within
        html.append(_piece(text[start:end], active))
    html.append(f"</{block.kind}>" if block else "")
    return mark_safe("".join(html))  # noqa: S308 escaped piece by piece


def _piece(text: str, covering: Sequence[Span]) -> str:
    html: str = escape(text)
    # From the inside out.
    for kind in reversed(TAGS):
        if span := next((span for span in covering if span.kind == kind), None):
            html = _wrapped(html, span)
    return html


def _wrapped(html: str, span: Span) -> str:
    tag, css = TAGS[span.kind]
    css = f' class="{css}"' if css else ""
    title = f' title="{escape(span.title)}"' if span.title else ""
    return f"<{tag}{css}{title}>{html}</{tag}>"
