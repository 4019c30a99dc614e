"""A message's text as HTML: the styles of its entities, and nothing else of it becomes markup."""

from html import escape
from typing import Any

_TAGS = {
    "bold": ("<strong>", "</strong>"),
    "italic": ("<em>", "</em>"),
    "underline": ("<u>", "</u>"),
    "strikethrough": ("<s>", "</s>"),
    "spoiler": ('<span class="spoiler" tabindex="0">', "</span>"),
    "code": ("<code>", "</code>"),
    "pre": ('<code class="block">', "</code>"),
    "blockquote": ('<q class="quote">', "</q>"),
    "expandable_blockquote": ('<q class="quote">', "</q>"),
    "hashtag": ('<span class="hot">', "</span>"),
    "cashtag": ('<span class="hot">', "</span>"),
    "bot_command": ('<span class="hot">', "</span>"),
    "mention": ('<span class="hot">', "</span>"),
    "text_mention": ('<span class="hot">', "</span>"),
    "phone_number": ('<span class="hot">', "</span>"),
}


def as_html(text: str, entities: list[dict[str, Any]]) -> str:
    """Entities nest, so that tags opened last are closed first."""
    units = text.encode("utf-16-le", "surrogatepass")

    def piece(start: int, end: int) -> str:
        return units[start * 2 : end * 2].decode("utf-16-le", "replace")

    html, at, open_tags = "", 0, list[tuple[int, str]]()
    for entity in sorted(entities, key=lambda one: (one["offset"], -one["length"])):
        html, at = _advance(html, at, entity["offset"], open_tags, piece)
        end = entity["offset"] + entity["length"]
        start_tag, end_tag = _tags(entity, piece(entity["offset"], end))
        html += start_tag
        open_tags.append((end, end_tag))
    html, at = _advance(html, at, len(units) // 2, open_tags, piece)
    return html + "".join(tag for _, tag in reversed(open_tags))


def _advance(html: str, at: int, to: int, open_tags: list[tuple[int, str]], piece: Any) -> tuple[str, int]:
    while open_tags and open_tags[-1][0] <= to:
        end, tag = open_tags.pop()
        html += escape(piece(at, end)) + tag
        at = end
    return html + escape(piece(at, to)), to


def _tags(entity: dict[str, Any], words: str) -> tuple[str, str]:
    url = {"text_link": entity.get("url", ""), "url": words, "email": f"mailto:{words}"}.get(entity["type"])
    if url is None:
        return _TAGS.get(entity["type"], ("", ""))
    if entity["type"] == "url" and "://" not in url:
        url = f"http://{url}"
    return f'<a rel="nofollow noreferrer" href="{escape(url)}">', "</a>"
