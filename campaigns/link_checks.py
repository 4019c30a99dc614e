"""Whether the addresses that a post names answer: looked up ahead of time, remembered for some hours."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import LinkCheck
from campaigns.rendering import Rendered
from compliance.guard.engines.links import SHUT_TO_ROBOTS
from lib.clock import now
from lib.public_http import FetchError, fetch
from social.networks.x.text import extract_urls

FRESH = timedelta(hours=6)
# A link that did not answer is tried again sooner: most come back.
FRESH_BROKEN = timedelta(minutes=10)
TIMEOUT_S = 5.0
MAX_BYTES = 64 * 1024
AT_ONCE, MOST_PER_ROUND = 4, 40
# Short links of our own count their visitors: what stands behind one is looked at in its place. Name to a function
# that answers nothing for other addresses; inside the workspace's scope.
BEHIND: dict[str, Callable[[str], str]] = {}


def links_of(rendered: Rendered) -> list[str]:
    """Each address once: in the texts, behind words, and on buttons."""
    found: list[str] = []
    for part in rendered.parts:
        found += [span.url for span in extract_urls(part.text)]
        found += [entity.url for entity in part.entities if entity.url]
    found += [button["url"] for row in rendered.options.get("buttons", []) for button in row]
    return list(dict.fromkeys(_with_scheme(url) for url in found if not url.startswith("tg:")))


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"https://{url}"


def hash_of(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def known_checks(workspace: Workspace, urls: Iterable[str]) -> dict[str, LinkCheck]:
    """By address, in one query; an address nobody looked at is left out."""
    hashes = [hash_of(url) for url in urls]
    return {row.url: row for row in LinkCheck.objects.filter(workspace=workspace, url_hash__in=hashes)}


def check_links(workspace: Workspace, urls: Iterable[str]) -> int:
    """Look at those whose last look is too old; the number of looks. Call it outside a transaction."""
    wanted = list(dict.fromkeys(urls))
    with workspace_scope(workspace.pk):
        known = known_checks(workspace, wanted)
        stale = [url for url in wanted if url not in known or not _is_fresh(known[url])][:MOST_PER_ROUND]
        behind = [_behind(url) for url in stale]
    if not stale:
        return 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(look_at, behind))
    with workspace_scope(workspace.pk):
        for url, (is_ok, status, problem) in zip(stale, answers, strict=True):
            _keep(workspace.pk, url, is_ok, status, problem)
    return len(stale)


def _behind(url: str) -> str:
    return next((found for target_of in BEHIND.values() if (found := target_of(url))), url)


def _is_fresh(check: LinkCheck) -> bool:
    return check.checked_at > now() - (FRESH if check.is_ok else FRESH_BROKEN)


def look_at(url: str) -> tuple[bool, int | None, str]:
    """Whether it answers, the HTTP status where there was one, and what is wrong in plain words."""
    try:
        answer = fetch(url, max_bytes=MAX_BYTES, timeout_s=TIMEOUT_S)
    except FetchError as error:
        # More than we wanted to read is an answer, too.
        answers = error.code == "too_large" or error.status in SHUT_TO_ROBOTS
        return answers, error.status, "" if answers else error.message
    return True, answer.status, ""


def _keep(workspace_id: UUID, url: str, is_ok: bool, status: int | None, problem: str) -> None:
    values = {"url": url, "is_ok": is_ok, "http_status": status, "problem": problem[:200], "checked_at": now()}
    LinkCheck.objects.update_or_create(workspace_id=workspace_id, url_hash=hash_of(url), defaults=values)
