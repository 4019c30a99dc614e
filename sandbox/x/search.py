"""Search of the last seven days: words, "phrases", #tags, from:account and -is:retweet."""

import re

from sandbox.router import Call
from sandbox.wire import Response
from sandbox.x import accounts, problems
from sandbox.x.lookup import VISIBLE, answer, billed, meta_of
from sandbox.x.reading import PAGING, parse_page, parse_reading
from sandbox.x.render import View, post_json

DAYS_S = 7 * 86_400
MAX_QUERY = 512
_TERM = re.compile(r'-is:retweet|from:(\w{1,15})|"([^"]+)"|([^\s":]+)')


def get_recent(call: Call) -> Response:
    reading = parse_reading(call, PAGING | {"query"})
    page = parse_page(call, reading)
    if page.limit < 10:
        raise problems.invalid("max_results", str(page.limit), "The `max_results` of a search is from 10 to 100.")
    conditions, values = _parse(call)
    rows = call.db.execute(
        f"SELECT * FROM x_posts WHERE {' AND '.join(conditions)} AND {VISIBLE} ORDER BY id DESC LIMIT :limit",  # noqa: S608
        {
            **values,
            "now": call.now,
            "since": page.since_id,
            "until": page.until_id,
            "start": max(page.start, call.now - DAYS_S),
            "end": page.end,
            "limit": page.limit + 1,
        },
    ).fetchall()
    shown = billed(call, rows[: page.limit])
    view = View(call, reading, [])
    data = [post_json(view, post) for post in shown] or None
    return answer(view, shown, data, meta_of(shown, has_more=len(rows) > page.limit))


def _parse(call: Call) -> tuple[list[str], dict[str, object]]:
    query = call.request.query.get("query", "").strip()
    if not 1 <= len(query) <= MAX_QUERY or _TERM.sub("", query).strip():
        raise problems.invalid("query", query, "The query cannot be read, or is not 1 to 512 characters long.")
    conditions, values = [], dict[str, object]()
    for number, found in enumerate(_TERM.finditer(query)):
        handle, phrase, word = found.groups()
        name = f"term{number}"
        if handle:
            account = accounts.find(call.db, handle)
            conditions.append(f"account_id = :{name}")
            values[name] = account["id"] if account else 0
        elif phrase or word:
            conditions.append(f"instr(lower(text), :{name}) > 0")
            values[name] = (phrase or word).lower()
    if not conditions:
        raise problems.invalid("query", query, "A query needs a word or an account, not only operators.")
    return conditions, values
