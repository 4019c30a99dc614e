"""HTML as a reader of the page sees it."""

import html
import re
from html.parser import HTMLParser

_HAS_MARKUP = re.compile(r"<(?:[a-z/!?])", re.IGNORECASE)
_UNSEEN_TAGS = frozenset({"script", "style", "template", "noscript", "head", "title", "object", "iframe", "textarea"})
_VOID_TAGS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_UNSEEN_STYLE = re.compile(
    r"display:none|visibility:hidden|opacity:0(?![.\d]*[1-9])|font-size:[01](?:\D|$)|text-indent:-|clip:rect"
    r"|(?:left|top|right):-\d{3}|(?:height|width):0|color:(?:white|transparent|#fff)"
)
_BREAKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "article", "section", "td"})
# What assistive or machine readers get, and people do not.
_ASIDE = ("alt", "title", "content", "aria-label", "value", "placeholder", "data-prompt")


def visible_text(text: str) -> tuple[str, list[str]]:
    """(what is seen, what is not); a text without markup as it is."""
    if not _HAS_MARKUP.search(text):
        return html.unescape(text), []
    try:
        page = _parse(text)
    except AssertionError:
        # The parser's way of saying that a declaration is broken.
        page = _parse(text.replace("<!", "< !"))
    return "".join(page.seen), [one for one in page.unseen if one.strip()]


def _parse(text: str) -> "_Page":
    page = _Page()
    page.feed(text)
    page.close()
    return page


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.unseen: list[str] = []
        self._open: list[tuple[str, bool]] = []

    @property
    def _is_hidden(self) -> bool:
        return any(is_hidden for _tag, is_hidden in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.unseen += [given[name] for name in _ASIDE if given.get(name)]
        if tag in _BREAKS:
            self.seen.append("\n")
        if tag not in _VOID_TAGS:
            self._open.append((tag, tag in _UNSEEN_TAGS or _hides(given)))

    def handle_endtag(self, tag: str) -> None:
        while any(name == tag for name, _hidden in self._open):
            if self._open.pop()[0] == tag:
                break
        if tag in _BREAKS:
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        (self.unseen if self._is_hidden else self.seen).append(data)

    def handle_comment(self, data: str) -> None:
        self.unseen.append(data)

    def handle_decl(self, decl: str) -> None:
        self.unseen.append(decl)

    def handle_pi(self, data: str) -> None:
        self.unseen.append(data)

    def unknown_decl(self, data: str) -> None:
        self.unseen.append(data)


def _hides(given: dict[str, str]) -> bool:
    style = re.sub(r"\s", "", given.get("style", "").lower())
    return "hidden" in given or given.get("aria-hidden") == "true" or bool(_UNSEEN_STYLE.search(style))
