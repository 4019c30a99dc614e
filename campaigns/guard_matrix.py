"""Where a draft may go: each market on each platform with its verdict, the reason and the smallest change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from accounts.models import Workspace
from campaigns.guarding import Known, draft_of, gather_known, post_context
from campaigns.models import Delivery, Post
from campaigns.queries import with_content
from campaigns.rendering import Rendered, render
from compliance.decisions import judge
from compliance.guard import Context, Decision, Draft, Media, Verdict
from compliance.guard.port import ANY, Severity
from compliance.places import MARKETS, PLATFORMS, clean_markets, clean_platforms, jurisdictions_of
from social.networks.markup import read_marked
from social.networks.rules import clean_text

# What is shown where nobody asks for anything else.
USUAL_PLATFORMS = ("x", "telegram", "instagram", "linkedin", "xiaohongshu", "wechat")
USUAL_MARKETS = ("US", "UK", "EU", "CN")
MOST = 8
SEVERITY = {Verdict.REVIEW: Severity.REVIEW, Verdict.BLOCK: Severity.BLOCK}


@dataclass(frozen=True)
class Cell:
    market: str
    platform: str
    verdict: Verdict
    rule: str = ""
    reason: str = ""
    fix: str = ""
    # What stands there now, and what would settle it.
    words: str = ""
    replacement: str | None = None
    # How many more findings ask for something.
    more: int = 0

    @property
    def place(self) -> str:
        return f"{PLATFORMS.get(self.platform, self.platform)}, {MARKETS.get(self.market, self.market)}"


@dataclass(frozen=True)
class Matrix:
    platforms: tuple[str, ...]
    markets: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def columns(self) -> list[str]:
        return [PLATFORMS.get(name, name) for name in self.platforms]

    @property
    def rows(self) -> list[tuple[str, list[Cell]]]:
        width = len(self.platforms)
        return [
            (MARKETS.get(market, market), list(self.cells[width * number : width * (number + 1)]))
            for number, market in enumerate(self.markets)
        ]

    @property
    def counts(self) -> dict[str, int]:
        return {verdict.value: sum(cell.verdict == verdict for cell in self.cells) for verdict in Verdict}


def matrix_of_post(post: Post, *, markets: Iterable[str] = (), platforms: Iterable[str] = ()) -> Matrix:
    """Inside its workspace's scope. Raises ValidationError for places nobody knows."""
    rows = list(with_content(Delivery.objects.filter(post=post)).order_by("created_at"))
    rendered = [render(row) for row in rows]
    assets = {use.asset_id: use.asset for row in rows for part in row.post.parts.all() for use in part.media.all()}
    drafts = drafts_of(rendered, assets) | {ANY: _plain_draft(post)}
    known = gather_known(post.workspace, rendered)
    return build_matrix(post.workspace, post, drafts, known, markets=markets, platforms=platforms)


def _plain_draft(post: Post) -> Draft:
    parts = list(post.parts.prefetch_related("media__asset"))
    texts = [clean_text(part.text) for part in parts]
    media = tuple(
        tuple(Media(kind=use.asset.kind, alt_text=use.alt_text, sha256=use.asset.sha256) for use in part.media.all())
        for part in parts
    )
    return Draft(tuple(read_marked(text).text if post.is_marked else text for text in texts), media)


def drafts_of(rendered: Iterable[Rendered], assets: Mapping[Any, Any]) -> dict[str, Draft]:
    """By platform; the first of several accounts of one network counts."""
    found: dict[str, Draft] = {}
    for one in rendered:
        found.setdefault(one.network, draft_of(one, assets))
    return found


def build_matrix(
    workspace: Workspace,
    post: Post,
    drafts: Mapping[str, Draft],
    known: Known,
    *,
    markets: Iterable[str] = (),
    platforms: Iterable[str] = (),
) -> Matrix:
    """`drafts[ANY]` is what platforms get that have no text of their own."""
    asked = clean_markets(markets) or (post.campaign and post.campaign.markets) or known.settings.markets
    wanted_markets = tuple(asked or USUAL_MARKETS)[:MOST]
    wanted = tuple(clean_platforms(platforms) or _usual(drafts))[:MOST]
    context = post_context(post, known.settings)
    cells = tuple(
        _cell(market, platform, draft, judge(workspace, draft, _there(context, post, market, platform), known.lists))
        for market in wanted_markets
        for platform in wanted
        for draft in [drafts.get(platform, drafts[ANY])]
    )
    return Matrix(wanted, wanted_markets, cells)


def _usual(drafts: Mapping[str, Draft]) -> list[str]:
    """Its own networks first."""
    return list(dict.fromkeys([*(name for name in drafts if name != ANY), *USUAL_PLATFORMS]))[: len(USUAL_PLATFORMS)]


def _there(context: Context, post: Post, market: str, platform: str) -> Context:
    facts = dict(context.facts)
    if post.options.get(platform, {}).get("paid_partnership"):
        facts["platform_label"] = True
    return replace(context, platform=platform, jurisdictions=jurisdictions_of([market]), facts=facts)


def _cell(market: str, platform: str, draft: Draft, decision: Decision) -> Cell:
    asking = [hit for hit in decision.hits if hit.severity == SEVERITY.get(decision.verdict)]
    if not asking:
        return Cell(market, platform, decision.verdict)
    # What a word settles is the smallest change.
    hit = next((hit for hit in asking if hit.replacement is not None and hit.start < hit.end), asking[0])
    rest = sum(other.severity != Severity.NOTE for other in decision.hits) - 1
    words = draft.texts[hit.part][hit.start : hit.end] if draft.texts else ""
    return Cell(
        market, platform, decision.verdict, hit.rule, hit.message, hit.fix, words, hit.replacement, more=max(0, rest)
    )


def matrix_data(matrix: Matrix) -> dict[str, Any]:
    names = ("market", "platform", "rule", "reason", "fix", "words", "replacement", "more")
    return {
        "markets": list(matrix.markets),
        "platforms": list(matrix.platforms),
        "cells": [
            {"verdict": cell.verdict.value, **{name: getattr(cell, name) for name in names}} for cell in matrix.cells
        ],
    }
