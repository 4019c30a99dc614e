"""What the guard is told about a delivery, and its verdicts where they count: at submission, approval and sending."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from accounts.models import Workspace
from campaigns.link_checks import known_checks, links_of
from campaigns.models import Delivery, LinkCheck, MediaAsset, Post
from campaigns.rendering import Rendered, RenderedMedia
from compliance.decisions import guard_settings, judge, keep_decision
from compliance.guard import Beside, Context, Decision, Draft, Hit, Media
from compliance.guard.port import Severity
from compliance.health import health_facts
from compliance.models import GuardDecision, GuardSettings
from compliance.places import jurisdictions_of
from compliance.rulesets import OwnLists, own_rules
from lib.clock import now

KIND = "delivery"
Facts = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    decision: Decision
    context: Context


@dataclass(frozen=True)
class Known:
    """What a workspace's deliveries are judged by, besides the rules: read in a fixed number of queries."""

    settings: GuardSettings
    lists: OwnLists
    # By connection.
    accounts: Mapping[UUID, Facts] = field(default_factory=dict)
    links: Mapping[str, LinkCheck] = field(default_factory=dict)


def gather_known(workspace: Workspace, rendered: Sequence[Rendered]) -> Known:
    """Inside the workspace's scope."""
    urls = {url for one in rendered for url in links_of(one)}
    return Known(
        settings=guard_settings(workspace),
        lists=own_rules(workspace.pk),
        accounts=account_facts({one.connection_id for one in rendered}),
        links=known_checks(workspace, urls) if urls else {},
    )


def known_at_sending(workspace: Workspace, rendered: Sequence[Rendered]) -> Known:
    """Without the links' last answers: one that does not answer for a moment takes no approval back."""
    return replace(gather_known(workspace, rendered), links={})


def judge_delivery(delivery: Delivery, rendered: Rendered, known: Known | None = None) -> Judged:
    """Expects the content loaded; inside the workspace's scope."""
    assets = {use.asset_id: use.asset for part in delivery.post.parts.all() for use in part.media.all()}
    known = known or gather_known(delivery.workspace, [rendered])
    return judge_rendered(delivery.workspace, delivery.post, rendered, assets, known)


def judge_rendered(
    workspace: Workspace, post: Post, rendered: Rendered, assets: Mapping[UUID, MediaAsset], known: Known
) -> Judged:
    """`post` may be one that was never saved; its parts are not looked at."""
    context = context_of(post, rendered, known)
    decision = judge(workspace, draft_of(rendered, assets), context, known.lists)
    return Judged(decision, context)


def keep_judged(judged: Judged, delivery: Delivery, rendered: Rendered, stage: str) -> None:
    keep_decision(
        judged.decision,
        workspace=delivery.workspace,
        kind=KIND,
        object_id=delivery.pk,
        action_hash=rendered.content_hash,
        stage=stage,
    )


def rules_at_approval(delivery: Delivery) -> frozenset[str]:
    """What asked for a person when this content was approved."""
    approved = GuardDecision.objects.filter(
        kind=KIND,
        object_id=delivery.pk,
        action_hash=delivery.approved_hash,
        stage=GuardDecision.Stage.APPROVAL,
    ).first()
    return asked_of_person(approved.hits) if approved else frozenset()


def rules_at_approvals(deliveries: Iterable[Delivery]) -> dict[UUID, frozenset[str]]:
    """As `rules_at_approval`, of many in one query."""
    hashes = {row.pk: row.approved_hash for row in deliveries if row.approved_hash}
    stage = GuardDecision.Stage.APPROVAL
    rows = GuardDecision.objects.filter(kind=KIND, stage=stage, object_id__in=list(hashes)).order_by("at")
    return {row.object_id: asked_of_person(row.hits) for row in rows if row.action_hash == hashes[row.object_id]}


def asked_of_person(hits: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Rules of kept hits. A note asked nobody: should its rule become stricter, a person has yet to look."""
    return frozenset(hit["rule"] for hit in hits if hit["severity"] != Severity.NOTE)


def last_decisions(delivery_ids: Iterable[UUID]) -> dict[UUID, GuardDecision]:
    """The latest kept verdict of each, in one query."""
    rows = GuardDecision.objects.filter(kind=KIND, object_id__in=list(delivery_ids))
    return {row.object_id: row for row in rows.order_by("object_id", "-at").distinct("object_id")}


# --- what is told -----------------------------------------------------------------------------------------


def draft_of(rendered: Rendered, assets: Mapping[UUID, MediaAsset]) -> Draft:
    return Draft(
        texts=tuple(part.text for part in rendered.parts),
        media=tuple(tuple(_media(item, assets) for item in part.media) for part in rendered.parts),
        beside=tuple(_beside(rendered)),
    )


def _beside(rendered: Rendered) -> Iterator[Beside]:
    for number, part in enumerate(rendered.parts):
        if part.poll:
            yield Beside(number, "In the poll", "\n".join(part.poll["options"]))
        for item in part.media:
            if item.alt_text:
                yield Beside(number, "In the description of a picture", item.alt_text)
    for row in rendered.options.get("buttons", []):
        for button in row:
            yield Beside(0, "On a button", button["text"])


def _media(item: RenderedMedia, assets: Mapping[UUID, MediaAsset]) -> Media:
    asset = assets.get(item.asset_id)
    if asset is None:
        return Media(kind=item.kind, alt_text=item.alt_text, sha256=item.sha256)
    return Media(
        kind=item.kind,
        mime=asset.mime,
        alt_text=item.alt_text,
        width=asset.width,
        height=asset.height,
        size_bytes=asset.size_bytes,
        duration_ms=asset.duration_ms or 0,
        sha256=item.sha256,
    )


def context_of(post: Post, rendered: Rendered, known: Known) -> Context:
    context = replace(post_context(post, known.settings), platform=rendered.network)
    facts = dict(context.facts) | known.accounts.get(rendered.connection_id, {}) | _link_facts(rendered, known)
    if rendered.reply_to:
        facts |= {"summoned": bool(post.reply_facts.get("is_summoned")), "via": "api"}
    if rendered.options.get("paid_partnership"):
        facts["platform_label"] = True
    return replace(context, action="reply" if rendered.reply_to else "publish", facts=facts)


def post_context(post: Post, settings: GuardSettings) -> Context:
    """What is the same for all of its deliveries. A campaign's own markets and industry come first."""
    campaign = post.campaign
    return Context(
        jurisdictions=jurisdictions_of((campaign and campaign.markets) or settings.markets),
        industry=(campaign and campaign.industry) or settings.industry,
        language=post.language,
        relationship=post.relationship,
        ai_generated=post.made_with_ai or post.has_agent_text,
        facts=dict(settings.facts),
        today=now().date(),
    )


def account_facts(connection_ids: Iterable[UUID]) -> dict[UUID, Facts]:
    return health_facts(list(connection_ids))


def _link_facts(rendered: Rendered, known: Known) -> Facts:
    checks = {
        url: {"is_ok": row.is_ok, "status": row.http_status}
        for url in links_of(rendered)
        if (row := known.links.get(url))
    }
    return {"link_checks": checks, "links": list(_hidden_links(rendered))}


def _hidden_links(rendered: Rendered) -> Iterator[dict[str, str]]:
    """Addresses that the text does not show: behind words, and on buttons."""
    for part in rendered.parts:
        units = part.text.encode("utf-16-le", "surrogatepass")
        for entity in part.entities:
            if entity.url:
                words = units[2 * entity.offset : 2 * (entity.offset + entity.length)]
                yield {"text": words.decode("utf-16-le", "surrogatepass"), "url": entity.url}
    for row in rendered.options.get("buttons", []):
        yield from ({"text": button["text"], "url": button["url"]} for button in row)


def explain_hits(hits: Iterable[Hit]) -> list[str]:
    """A sentence for each: what, and what to do."""
    return list(dict.fromkeys(f"{hit.message} {hit.fix}".strip() for hit in hits))
