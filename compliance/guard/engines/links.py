"""Where the links of a draft lead, from what stands in it and from what callers looked up. Nothing is fetched here.

Facts: `blocked_domains` and `allowed_domains` (lists), `link_checks` (address → `{"is_ok"?, "status"?, "final_url"?}`),
`links` (list of `{"text", "url"}`: links behind words that the text does not show).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from compliance.guard.port import Answer, Context, Draft, Hit
from compliance.guard.rules import Rule, RuleSet, checker
from compliance.guard.text import fold

_TLDS = (
    "com|net|org|info|biz|io|co|ai|app|dev|me|tv|cc|xyz|top|shop|store|online|site|club|link|page|live|news|cn|hk|tw|"
    "jp|kr|sg|in|uk|de|fr|es|it|nl|be|at|ch|eu|pl|se|no|dk|fi|ie|pt|ru|us|ca|au|nz|br|mx|ly|gl|gg|to|su|id|vn|th"
)
_END = r"\s<>\"'“”‘’，。；！？、（）【】「」《》"
_URL = re.compile(
    rf"(?:https?|ftp)://[^{_END}/?#]+(?:[/?#][\x21\x23-\x26\x28-\x3b\x3d\x3f-\x7e]*)?"
    rf"|\b(?:javascript|data|file|vbscript):[^{_END}]+"
    rf"|(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLDS})(?![\w.-]{0, 64}@)(?![a-z0-9-])(?::\d+)?"
    r"(?:[/?#][\x21\x23-\x26\x28-\x3b\x3d\x3f-\x7e]*)?",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"\[([^\[\]\n]{1,200})\]\(\s{0,3}([^()\s]{1,2000})[^()\n]{0,200}\)")
# Possessive: what was taken is not given back, so that a row of beginnings takes no longer than its length.
_HTML = re.compile(r"<a\s[^<>]{0,300}?href=[\"']?([^\"'\s>]{1,2000}+)[^<>]{0,300}+>([^<]{1,200}+)</a>", re.IGNORECASE)
_LATIN_THEN_HAN = re.compile(r"(?<=[a-z0-9])[\u3400-\u9fff].*", re.IGNORECASE)
# The server is there and answers people; it only does not like robots.
SHUT_TO_ROBOTS = frozenset({401, 403, 405, 406, 429, 451, 999})
_SECOND_LEVELS = frozenset({"co", "com", "org", "net", "gov", "ac", "edu", "or", "ne"})
_DOWNLOADS = re.compile(r"\.(?:exe|msi|scr|bat|cmd|com\.exe|apk|xapk|dmg|pkg|iso|jar|vbs|ps1|lnk|hta)$", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    part: int
    start: int
    end: int
    # As written; `label` is what the reader sees of a link behind words.
    written: str
    label: str = ""

    @property
    def url(self) -> str:
        return self.written if re.match(r"[a-z]+:", self.written, re.IGNORECASE) else f"https://{self.written}"

    @cached_property
    def split(self) -> SplitResult:
        try:
            return urlsplit(self.url)
        except ValueError:
            return SplitResult("", "", "", "", "")

    @property
    def scheme(self) -> str:
        return self.split.scheme.lower()

    @property
    def host(self) -> str:
        return (self.split.hostname or "").rstrip(".")


@dataclass(frozen=True)
class Scene:
    """What is known besides the text."""

    blocked: tuple[str, ...]
    allowed: tuple[str, ...]
    checks: Mapping[str, Mapping[str, Any]]

    def check_of(self, link: Link) -> Mapping[str, Any]:
        found = self.checks.get(link.url) or self.checks.get(link.written) or {}
        return found if isinstance(found, Mapping) else {}

    def final_host(self, link: Link) -> str:
        final = self.check_of(link).get("final_url")
        return host_of(final) if isinstance(final, str) else ""


def _scene(facts: Mapping[str, Any]) -> Scene:
    blocked, allowed = (
        tuple(_bare_domain(name) for name in facts.get(key) or () if isinstance(name, str))
        for key in ("blocked_domains", "allowed_domains")
    )
    checks = facts.get("link_checks")
    return Scene(blocked, allowed, checks if isinstance(checks, Mapping) else {})


def _bare_domain(name: str) -> str:
    return name.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("*.").strip("./")


def host_of(url: str) -> str:
    """Empty where it is no address after all: one that cannot be read must not hide the others of its draft."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_within(host: str, domains: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether the host is one of them or below one."""
    labels = host.lower().split(".")
    return any(".".join(labels[place:]) in domains for place in range(len(labels)))


def site_of(host: str) -> str:
    """The part of a host that somebody registers."""
    labels = host.lower().split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if deep else -2 :])


def find_links(draft: Draft, facts: Mapping[str, Any]) -> Iterator[Link]:
    for number, text in enumerate(draft.texts):
        labels = dict(_labelled(text))
        for found in _URL.finditer(text):
            written = _without_trail(found.group())
            start, end = found.start(), found.start() + len(written)
            yield Link(number, start, end, written, labels.get(start, ""))
    for one in facts.get("links") or ():
        if isinstance(one, Mapping) and isinstance(one.get("url"), str):
            yield Link(0, 0, 0, one["url"], str(one.get("text") or ""))


def _labelled(text: str) -> Iterator[tuple[int, str]]:
    """Where each address behind words begins, and the words."""
    for found in _MARKDOWN.finditer(text) if "](" in text else ():
        yield found.start(2), found.group(1)
    for found in _HTML.finditer(text) if "<a" in text.lower() else ():
        yield found.start(1), found.group(2)


def _without_trail(url: str) -> str:
    """Punctuation and words of the sentence that follow an address are not part of it."""
    scheme, mark, rest = url.rpartition("://")
    host = re.match(r"[^/?#]*", rest)
    if mark and host and (glued := _LATIN_THEN_HAN.search(host.group())):
        return scheme + mark + rest[: glued.start()]
    url = url.rstrip(".,;:!?*_~|")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?")
    return url


# --- what rules may ask -----------------------------------------------------------------------------------

Ask = Callable[[Link, Scene, frozenset[str]], bool]


def _is_blocked(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return is_within(link.host, scene.blocked) or is_within(scene.final_host(link), scene.blocked)


def _is_not_allowed(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return bool(scene.allowed and link.host) and not is_within(link.host, scene.allowed)


def _is_listed(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return is_within(link.host, domains) and not is_within(link.host, scene.allowed)


def _is_dead(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    check = scene.check_of(link)
    if isinstance(check.get("is_ok"), bool):
        return not check["is_ok"]
    status = check.get("status", check.get("http_status"))
    return isinstance(status, int) and status >= 400 and status not in SHUT_TO_ROBOTS


def _leads_elsewhere(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    final = scene.final_host(link)
    if final and site_of(final) != site_of(link.host):
        return not is_within(link.host, domains) and not is_within(final, scene.allowed)
    targets = [value for _, value in parse_qsl(link.split.query) if re.match(r"https?://", value, re.IGNORECASE)]
    hosts = map(host_of, targets)
    return any(site_of(host) != site_of(link.host) and not is_within(host, scene.allowed) for host in hosts if host)


def _says_another_domain(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    named = _URL.search(link.label)
    if not named or not link.host:
        return False
    return site_of(Link(0, 0, 0, _without_trail(named.group())).host) != site_of(link.host)


def _looks_alike(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    """A label that reads as Latin and is not, written so or as punycode."""
    return any(_is_disguised(label) for label in link.host.split("."))


def _is_disguised(label: str) -> bool:
    if label.startswith("xn--"):
        try:
            label = label[4:].encode().decode("punycode")
        except UnicodeError:
            return True
    if label.isascii():
        return False
    foreign = [char for char in label if not char.isascii() and not unicodedata.name(char, "").startswith("LATIN")]
    return bool(foreign) and any(fold(char).text.isascii() for char in foreign) and fold(label).text.isascii()


def _is_address(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    try:
        ip_address(link.host)
    except ValueError:
        # Old notations of the same: one number, or hexadecimal.
        return re.fullmatch(r"\d{8,10}|0x[0-9a-f]+(?:\.0x[0-9a-f]+)*", link.host) is not None
    return True


def _is_internal(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return link.host == "localhost" or link.host.endswith((".local", ".internal", ".localhost", ".lan", ".test"))


def _has_credentials(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return link.scheme in {"http", "https", "ftp"} and "@" in link.split.netloc


def _is_plain_http(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return link.scheme == "http"


def _is_not_web(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return link.scheme in {"javascript", "data", "file", "vbscript", "ftp"}


def _is_download(link: Link, scene: Scene, domains: frozenset[str]) -> bool:
    return _DOWNLOADS.search(link.split.path) is not None and not is_within(link.host, scene.allowed)


ASKS: dict[str, Ask] = {
    "blocked": _is_blocked,
    "not_allowed": _is_not_allowed,
    "listed": _is_listed,
    "dead": _is_dead,
    "redirect": _leads_elsewhere,
    "mismatch": _says_another_domain,
    "lookalike": _looks_alike,
    "ip": _is_address,
    "internal": _is_internal,
    "credentials": _has_credentials,
    "plain_http": _is_plain_http,
    "scheme": _is_not_web,
    "download": _is_download,
}
MATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["ask"],
    "additionalProperties": False,
    "properties": {
        "ask": {"enum": list(ASKS)},
        "domains": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z0-9.-]+$"}, "uniqueItems": True},
    },
}
_check_shape = checker(MATCH_SCHEMA, "match")


def check_match(match: Any) -> None:
    """Raises BadPack."""
    _check_shape(match)


@lru_cache(maxsize=64)
def _compiled(rules: RuleSet) -> tuple[tuple[Rule, Ask, frozenset[str]], ...]:
    for rule in rules.of("links"):
        check_match(rule.match)
    return tuple(
        (rule, ASKS[rule.match["ask"]], frozenset(rule.match.get("domains", ()))) for rule in rules.of("links")
    )


class LinksEngine:
    name = "links"

    def check(self, draft: Draft, context: Context, rules: RuleSet) -> Answer:
        links = list(find_links(draft, context.facts))
        if not links:
            return Answer()
        scene = _scene(context.facts)
        asked = [one for one in _compiled(rules) if one[0].applies(context)]
        return Answer(
            tuple(
                _hit(rule, link, scene) for link in links for rule, ask, domains in asked if ask(link, scene, domains)
            )
        )


def _hit(rule: Rule, link: Link, scene: Scene) -> Hit:
    return rule.hit(link.part, link.start, link.end, replacement=_replacement(rule, link, scene))


def _replacement(rule: Rule, link: Link, scene: Scene) -> str | None:
    if link.start == link.end:
        return None
    if rule.match["ask"] == "plain_http":
        return f"https{link.written[4:]}"
    final = scene.check_of(link).get("final_url")
    return final if rule.match["ask"] == "listed" and isinstance(final, str) else None
