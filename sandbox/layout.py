"""The look of the sandbox's few pages."""

from html import escape
from pathlib import Path

STYLE = (Path(__file__).parent / "style.css").read_text()


def page(title: str, body: str, *, is_narrow: bool = False) -> str:
    kind = ' class="narrow"' if is_narrow else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f'<body><main{kind}><span class="tag">Sandbox: nothing here is real</span>{body}</main></body></html>'
    )


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML already: callers escape."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
