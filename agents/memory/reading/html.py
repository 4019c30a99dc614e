"""The visible text of a web page. What a reader would not see is left out: it may be written for machines only."""

import re
from html.parser import HTMLParser

from agents.memory.reading.decoding import decode
from agents.memory.reading.sections import MAX_CHARACTERS, Section

META_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)
HEADINGS = {f"h{n}" for n in range(1, 7)}
BLOCKS = HEADINGS | {
    *("address", "article", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure"),
    *("footer", "form", "header", "hr", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tr", "ul"),
}
VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
}
# Not the page's text: its machinery, its menus, its controls.
LEFT_OUT = {
    *("script", "style", "template", "noscript", "svg", "math", "head", "nav", "aside", "button", "select", "textarea"),
    *("iframe", "object", "canvas", "audio", "video", "dialog"),
}
# Opening one ends the one before, which nobody closes.
SELF_ENDING = {"p", "li", "dt", "dd", "tr", "td", "th", "option"}
HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0(\.0+)?\s*(;|!|$)"
    r"|font-size\s*:\s*[01](\.\d+)?(px|pt|em|rem|%)?\s*(;|!|$)|(width|height)\s*:\s*[01](px)?\s*(;|!|$)"
    r"|(left|top|text-indent|margin-left)\s*:\s*-\d{3,}|clip\s*:\s*rect|clip-path\s*:\s*inset\(\s*(50|100)%"
    r"|color\s*:\s*transparent",
    re.IGNORECASE,
)
HIDING_CLASSES = {"sr-only", "visually-hidden", "screen-reader-text", "hidden", "d-none"}
MAX_DEPTH = 400


def read_html(data: bytes, charset: str = "") -> tuple[str, list[Section]]:
    """The title of the page and its sections. Raises UnreadableFile."""
    claimed = META_CHARSET.search(data[:4096])
    parser = PageParser()
    parser.feed(decode(data, charset or (claimed.group(1).decode() if claimed else ""))[: 2 * MAX_CHARACTERS])
    parser.close()
    return parser.finish()


class PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.sections: list[Section] = []
        self._open: list[tuple[str, bool]] = []
        self._heading = ""
        self._lines: list[str] = []
        self._in_heading: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SELF_ENDING and self._open and self._open[-1][0] == tag:
            self._open.pop()
        if tag in BLOCKS:
            self._lines.append("\n")
        if tag in {"td", "th"}:
            self._lines.append(" | ")
        if tag in VOID:
            return
        is_hidden = tag in LEFT_OUT or _is_hidden(dict(attrs))
        if len(self._open) < MAX_DEPTH:
            self._open.append((tag, is_hidden))
        if tag in HEADINGS and not self._is_hidden:
            self._end_section()
            self._in_heading = []

    def handle_endtag(self, tag: str) -> None:
        if tag in HEADINGS and self._in_heading is not None:
            self._heading, self._in_heading = _plain(" ".join(self._in_heading)), None
        if tag in BLOCKS:
            self._lines.append("\n")
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "title" and not self.title:
            self.title = _plain(data)[:200]
        if self._is_hidden:
            return
        if self._in_heading is not None:
            self._in_heading.append(data)
        else:
            self._lines.append(data.replace("\n", " "))

    def finish(self) -> tuple[str, list[Section]]:
        self._end_section()
        return self.title, self.sections

    @property
    def _is_hidden(self) -> bool:
        return any(is_hidden for _, is_hidden in self._open)

    def _end_section(self) -> None:
        lines = [_plain(line).strip("| ") for line in "".join(self._lines).split("\n")]
        text = "\n\n".join(line for line in lines if line)
        if text:
            self.sections.append(Section(self._heading, text))
        self._lines = []


def _is_hidden(attrs: dict[str, str | None]) -> bool:
    if "hidden" in attrs or (attrs.get("aria-hidden") or "").lower() == "true":
        return True
    if HIDING_CLASSES & set((attrs.get("class") or "").lower().split()):
        return True
    return HIDING_STYLE.search(attrs.get("style") or "") is not None


def _plain(text: str) -> str:
    return " ".join(text.split())
