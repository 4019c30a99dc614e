"""What the guard says about a post while it is written: each finding at its place in the field that was typed into."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import lru_cache
from uuid import UUID

from campaigns.forms_post import PostForm
from campaigns.forms_post_options import usable_options
from campaigns.guarding import Known, judge_rendered
from campaigns.models import Campaign, MediaAsset, Post
from campaigns.rendering import Rendered, RenderedMedia, RenderedPart
from compliance.guard import Hit, Verdict
from compliance.guard.port import ANY, Severity
from compliance.guard.rules import Rule, RuleSet
from compliance.models import GuardSettings
from compliance.places import market_names
from compliance.rulesets import instance_rules
from social.models import Connection
from social.networks.markup import read_marked
from social.networks.rules import clean_text
from social.networks.x.text import normalise_newlines

# Longer marked texts get their findings without a place: comparing them takes too long while somebody types.
LONGEST_COMPARED = 4_000
ADDRESS = re.compile(r"https?://[^\s,;)]+")
Rules = Mapping[str, Rule]
ORDER = {Severity.BLOCK: 0, Severity.REVIEW: 1, Severity.NOTE: 2}


@dataclass(frozen=True)
class Finding:
    """`start` and `end` count UTF-16 units of the field's text, as browsers do; equal where it is about the whole."""

    field: str
    start: int
    end: int
    severity: Severity
    rule: str
    message: str
    citation: str = ""
    fix: str = ""
    replacement: str | None = None
    words: str = ""
    # Only where it does not concern all chosen accounts.
    accounts: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()

    @property
    def citation_url(self) -> str:
        found = ADDRESS.search(self.citation)
        return found[0] if found else ""

    @property
    def is_applicable(self) -> bool:
        return self.replacement is not None and self.start < self.end


@dataclass(frozen=True)
class Findings:
    verdict: Verdict = Verdict.ALLOW
    # By part.
    parts: Mapping[int, list[Finding]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        counts = [
            (severity, sum(found.severity == severity for part in self.parts.values() for found in part))
            for severity in ORDER
        ]
        words = [SAID[severity](number) for severity, number in counts if number]
        return f"{', '.join(words)}." if words else ""


SAID: dict[Severity, Callable[[int], str]] = {
    Severity.BLOCK: lambda n: f"{n} thing{'s'[: n > 1]} must change before it can be sent",
    Severity.REVIEW: lambda n: f"{n} for a reviewer to look at",
    Severity.NOTE: lambda n: f"{n} note{'s'[: n > 1]}",
}
# What is judged while no account is chosen.
NO_ACCOUNT = UUID(int=0)


@lru_cache(4)
def rules_by_id(rules: RuleSet) -> Rules:
    return {rule.id: rule for rule in rules.rules}


def find_in_form(
    form: PostForm,
    rendered: Sequence[tuple[Rendered, Connection | None]],
    assets: Mapping[UUID, MediaAsset],
    *,
    campaign: Campaign | None,
    saved: Post | None,
    known: Known,
) -> Findings:
    """Judges what each account would get; nothing is written. Without a connection it is judged for any platform."""
    if form.is_empty:
        return Findings()
    post = unsaved_post(form, campaign, saved)
    judged = [
        (one, account, judge_rendered(known.settings.workspace, post, one, assets, known).decision)
        for one, account in rendered
    ]
    rules, markets = rules_by_id(instance_rules()), frozenset(_markets(campaign, known))
    rows = [
        (hit.part, _finding(_as_wished(hit, known.settings, rules), form, one, account, rules, markets), account)
        for one, account, decision in judged
        for hit in decision.hits
    ]
    strictest = max((decision.verdict for _, _, decision in judged), key=list(Verdict).index, default=Verdict.ALLOW)
    return Findings(strictest, dict(_merged(rows, len(judged))))


def render_for_anywhere(form: PostForm, media: Sequence[tuple[RenderedMedia, ...]]) -> Rendered:
    """The shared texts as a network without formatting of its own would show them."""
    texts = [clean_text(part.text) for part in form.parts]
    plain = [read_marked(text).text if form.is_marked else text for text in texts]
    parts = tuple(RenderedPart(text, files) for text, files in zip(plain, media, strict=True))
    return Rendered(NO_ACCOUNT, ANY, "", parts, form.made_with_ai)


def _markets(campaign: Campaign | None, known: Known) -> list[str]:
    return (campaign and campaign.markets) or known.settings.markets


def unsaved_post(form: PostForm, campaign: Campaign | None, saved: Post | None) -> Post:
    """As it would be saved."""
    relationship = form.relationship if form.relationship in Post.Relationship.values else Post.Relationship.OWN_BRAND
    is_same_reply = saved is not None and saved.reply_to == form.reply_to
    return Post(
        campaign=campaign,
        language=form.language[:12],
        relationship=relationship,
        made_with_ai=form.made_with_ai,
        has_agent_text=bool(saved and saved.has_agent_text),
        options=usable_options(form.options)[0],
        reply_facts=saved.reply_facts if saved and is_same_reply else {},
    )


def _as_wished(hit: Hit, settings: GuardSettings, rules: Rules) -> Hit:
    """Personal data is masked for those who want that; the others are only told."""
    rule = rules.get(hit.rule)
    is_personal = rule is not None and rule.engine == "pii"
    if is_personal and settings.pii_mode == GuardSettings.PiiMode.DETECT:
        return replace(hit, replacement=None)
    return hit


def _finding(
    hit: Hit, form: PostForm, rendered: Rendered, account: Connection | None, rules: Rules, markets: frozenset[str]
) -> Finding:
    part = form.parts[hit.part]
    is_own = account is not None and bool(part.overrides.get(account.pk))
    name = f"part-{hit.part}-override-{account.pk}" if is_own and account else f"part-{hit.part}-text"
    typed = normalise_newlines(part.text_for(account.pk) if account else part.text)
    start, end = place_in(typed, rendered.parts[hit.part].text, hit.start, hit.end)
    rule = rules.get(hit.rule)
    return Finding(
        field=name,
        start=_utf16(typed[:start]),
        end=_utf16(typed[:end]),
        severity=hit.severity,
        rule=hit.rule if rule else "",
        message=hit.message,
        citation=hit.citation,
        fix=hit.fix,
        replacement=hit.replacement,
        words=typed[start:end],
        markets=tuple(market_names(sorted(rule.jurisdictions & markets))) if rule else (),
    )


def place_in(typed: str, sent: str, start: int, end: int) -> tuple[int, int]:
    """Where a span of what is sent stands in what was typed, with its white space and marks; (0, 0) for nowhere."""
    if start >= end:
        return 0, 0
    offset = typed.find(sent)
    if offset >= 0:
        return offset + start, offset + end
    if len(typed) > LONGEST_COMPARED:
        return 0, 0
    blocks = SequenceMatcher(None, sent, typed, autojunk=False).get_matching_blocks()
    first = next((b + start - a for a, b, size in blocks if a <= start < a + size), None)
    last = next((b + end - 1 - a for a, b, size in blocks if a <= end - 1 < a + size), None)
    return (first, last + 1) if first is not None and last is not None and first <= last else (0, 0)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _merged(rows: Sequence[tuple[int, Finding, Connection | None]], judged: int) -> Iterator[tuple[int, list[Finding]]]:
    """What several accounts have in common is said once; the strictest first, then in the order of the text."""
    accounts: dict[tuple[int, Finding], list[str]] = {}
    for part, found, account in rows:
        accounts.setdefault((part, found), []).append(str(account) if account else "")
    for part in sorted({part for part, _ in accounts}):
        of_part = [
            one if len(names) == judged else replace(one, accounts=tuple(dict.fromkeys(names)))
            for (number, one), names in accounts.items()
            if number == part
        ]
        yield part, sorted(of_part, key=lambda one: (ORDER[one.severity], one.field, one.start))
