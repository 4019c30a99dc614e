"""What the guard is told about a delivery, and its verdicts where they count: at submission, approval and sending."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from campaigns.link_checks import known_checks, links_of
from campaigns.models import Delivery, MediaAsset, Post
from campaigns.rendering import Rendered, RenderedMedia
from compliance.decisions import guard_settings, judge, keep_decision
from compliance.guard import Context, Decision, Draft, Hit, Media
from compliance.models import AccountHealth, GuardDecision, GuardSettings
from lib.clock import now

KIND = "delivery"


@dataclass(frozen=True)
class Judged:
    decision: Decision
    context: Context


def judge_delivery(delivery: Delivery, rendered: Rendered) -> Judged:
    """Expects the content loaded; inside the workspace's scope."""
    context = context_of(delivery, rendered)
    return Judged(judge(delivery.workspace, draft_of(delivery.post, rendered), context), context)


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
    return frozenset(hit["rule"] for hit in approved.hits) if approved else frozenset()


def draft_of(post: Post, rendered: Rendered) -> Draft:
    assets = {use.asset_id: use.asset for part in post.parts.all() for use in part.media.all()}
    return Draft(
        texts=tuple(part.text for part in rendered.parts),
        media=tuple(tuple(_media(item, assets) for item in part.media) for part in rendered.parts),
    )


def _media(item: RenderedMedia, assets: dict[Any, MediaAsset]) -> Media:
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


def context_of(delivery: Delivery, rendered: Rendered) -> Context:
    post, settings = delivery.post, guard_settings(delivery.workspace)
    context = replace(post_context(post, settings), platform=rendered.network)
    facts = dict(context.facts) | account_facts(delivery) | _link_facts(delivery, rendered)
    if rendered.reply_to:
        facts |= {"summoned": bool(post.reply_facts.get("is_summoned")), "via": "api"}
    if rendered.options.get("paid_partnership"):
        facts["platform_label"] = True
    return replace(context, action="reply" if rendered.reply_to else "publish", facts=facts)


def post_context(post: Post, settings: GuardSettings) -> Context:
    """What is the same for all of its deliveries. A campaign's own markets and industry come first."""
    campaign = post.campaign
    return Context(
        jurisdictions=tuple((campaign and campaign.markets) or settings.markets),
        industry=(campaign and campaign.industry) or settings.industry,
        language=post.language,
        relationship=post.relationship,
        ai_generated=post.made_with_ai or post.has_agent_text,
        facts=dict(settings.facts),
        today=now().date(),
    )


def account_facts(delivery: Delivery) -> dict[str, Any]:
    health = AccountHealth.objects.filter(connection_id=delivery.connection_id).first()
    if health is None:
        return {}
    return {"account_health": health.forced_state or health.state}


def _link_facts(delivery: Delivery, rendered: Rendered) -> dict[str, Any]:
    links = links_of(rendered)
    if not links:
        return {}
    known = known_checks(delivery.workspace, links)
    return {"link_checks": {url: {"is_ok": row.is_ok, "status": row.http_status} for url, row in known.items()}}


def explain_hits(hits: Iterable[Hit]) -> list[str]:
    """A sentence for each: what, and what to do."""
    return list(dict.fromkeys(f"{hit.message} {hit.fix}".strip() for hit in hits))
