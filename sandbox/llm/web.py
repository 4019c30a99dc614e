"""A page that shows what the models were asked and what they said."""

import json
from html import escape
from typing import Any

from sandbox.layout import page, table
from sandbox.llm import calls, settings
from sandbox.router import Call
from sandbox.wire import Response, html_response

SHOWN = 50


def show_calls(call: Call) -> Response:
    entries = calls.latest(call.db, SHOWN)
    rows = [_row(entry) for entry in entries]
    heads = ["Time", "Provider", "Model", "Answered by", "Prompt", "In", "Cached", "Out", "End"]
    listed = table(heads, rows) if rows else "<p>No model has been asked yet.</p>"
    chosen = settings.read(call.db)
    pace = f"{chosen['chunk_ms']:g} ms a chunk" if chosen["chunk_ms"] else "as fast as it goes"
    forced = f" · every model answers as {escape(chosen['behaviour'])}" if chosen["behaviour"] else ""
    body = (
        '<p><a href="/">Sandbox</a></p><h1>Language models</h1>'
        "<p class=soft>A plain writer answers for every model. It reads and writes texts by rules; "
        f"it knows nothing. Streams come {pace}{forced}.</p>{listed}"
    )
    return html_response(200, page("Language models", body))


def _row(entry: dict[str, Any]) -> list[str]:
    prompt = (entry["prompt_sha"] or "refused")[:12]
    return [
        f"<time>{entry['time']}</time>",
        escape(entry["provider"]),
        escape(entry["model"] or ""),
        escape(entry["behaviour"] or ""),
        f'<a href="/llm/calls/{entry["id"]}">{prompt}</a>',
        *[_count(entry[name]) for name in ("input_tokens", "cached_tokens", "output_tokens")],
        escape(" · ".join(part for part in (entry["stop"], entry["fault"]) if part)),
    ]


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def show_call(call: Call) -> Response:
    number = call.args["id"]
    entry = calls.find(call.db, int(number)) if number.isdecimal() and len(number) < 16 else None
    if entry is None:
        return html_response(404, page("No such call", "<h1>No such call</h1><p>It may have been reset.</p>"))
    answer = entry["answer"] or {"text": "", "calls": []}
    made = "".join(f"<p class=text>{escape(one['name'])}({escape(one['arguments'])})</p>" for one in answer["calls"])
    body = (
        f'<p><a href="/llm">Language models</a></p><h1>Call {entry["id"]}</h1>'
        f"<p class=soft>{entry['time']} · {escape(entry['provider'])} · {escape(entry['model'] or 'no model')}</p>"
        f'<h2>Answer</h2><article class="card"><p class="text">{escape(answer["text"])}</p>{made}</article>'
        f'<h2>Request</h2><article class="card"><p class="text">{escape(_shown(entry["request"]))}</p></article>'
    )
    return html_response(200, page(f"Call {entry['id']}", body))


def _shown(request: Any) -> str:
    return request if isinstance(request, str) else json.dumps(request, ensure_ascii=False, indent=1)
