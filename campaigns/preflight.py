"""Pre-flight: what would keep a delivery from going out in time, found while there is still time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.access import Actor
from campaigns.access import visible_deliveries
from campaigns.guarding import explain_hits
from campaigns.models import Campaign, Delivery
from campaigns.preflight_facts import Facts, gather_facts
from campaigns.queries import with_content
from campaigns.rendering import check_rendered
from compliance.guard import Verdict
from compliance.guard.port import Severity
from lib.clock import now
from social.models import Connection
from social.networks.rules import RULES, missing_scopes

State, Status = Delivery.State, Connection.Status
GREEN, AMBER, RED = "green", "amber", "red"
AHEAD = timedelta(hours=24)
# What was never approved is shown for so long after its moment, what the engine still holds for ever.
OVERDUE = timedelta(days=7)
APPROVE_BY = timedelta(hours=1)
LATE = timedelta(minutes=2)
ENDS_SOON = timedelta(hours=1)
WITH_ENGINE = (State.SCHEDULED, State.RETRY_WAIT, State.PUBLISHING, State.PAUSED)
UNAPPROVED = (State.DRAFT, State.IN_REVIEW)
MOST = 300


@dataclass(frozen=True)
class Finding:
    """`level` is amber (it may go wrong) or red (it will not go out); `fix_url` leads to where it is mended."""

    level: str
    code: str
    text: str
    fix_url: str = ""


@dataclass(frozen=True)
class Flight:
    delivery: Delivery
    due: datetime
    findings: list[Finding]

    @property
    def level(self) -> str:
        return worst(self.findings)


def worst(findings: Sequence[Finding]) -> str:
    levels = {finding.level for finding in findings}
    return RED if RED in levels else AMBER if AMBER in levels else GREEN


# --- the board --------------------------------------------------------------------------------------------


def find_flights(actor: Actor) -> list[Flight]:
    """Everything due in the next 24 hours and what is overdue, in order. As many queries for one as for hundreds."""
    return flights_of(list(due_before(visible_deliveries(actor), now() + AHEAD)[:MOST]))


def flights_of(deliveries: Sequence[Delivery]) -> list[Flight]:
    """Expects their content loaded, all of one workspace."""
    facts = gather_facts(deliveries)
    return [Flight(row, facts.due[row.pk], check_flight(row, facts)) for row in deliveries]


def due_before(deliveries: QuerySet[Delivery], end: datetime) -> QuerySet[Delivery]:
    with_engine = Q(state__in=WITH_ENGINE, due_at__lte=end) | Q(state__in=WITH_ENGINE, due_at=None)
    unapproved = Q(state__in=UNAPPROVED, scheduled_at__range=(now() - OVERDUE, end))
    found = deliveries.filter(with_engine | unapproved).alias(due=Coalesce("due_at", "scheduled_at"))
    is_due = Q(due__lte=end)
    return with_content(found.filter(is_due)).order_by(Coalesce("due_at", "scheduled_at"), "pk")


def count_levels(flights: Sequence[Flight]) -> dict[str, int]:
    return {level: sum(flight.level == level for flight in flights) for level in (GREEN, AMBER, RED)}


# --- one delivery -----------------------------------------------------------------------------------------


def check_flight(delivery: Delivery, facts: Facts) -> list[Finding]:
    """Pure: everything it needs to know stands in the delivery and the facts. The worst first."""
    findings = [finding for check in CHECKS for finding in check(delivery, facts)]
    return sorted(findings, key=lambda finding: finding.level != RED)


def _check_stops(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    if delivery.workspace.is_suspended:
        yield Finding(RED, "suspended", "Staff suspended this workspace. Contact support.")
    if delivery.workspace.is_stopped:
        why = f": {delivery.workspace.stopped_text}" if delivery.workspace.stopped_text else "."
        yield Finding(RED, "stopped", f"Everything is stopped in this workspace{why}")
    if facts.is_instance_stopped:
        yield Finding(RED, "instance_stopped", "Publishing is stopped on the whole installation for now.")


def _check_campaign(delivery: Delivery, _facts: Facts) -> Iterator[Finding]:
    campaign = delivery.post.campaign
    if campaign is None or campaign.status == Campaign.Status.RUNNING:
        return
    # A draft begins with its first approved post.
    if campaign.status == Campaign.Status.DRAFT and delivery.state in UNAPPROVED:
        return
    text = f"Its campaign is {campaign.get_status_display().lower()}. Start it, or take the post out of it."
    yield Finding(RED, "campaign", text, campaign.get_absolute_url())


def _check_approval(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    url = delivery.post.get_absolute_url()
    if delivery.state in UNAPPROVED:
        is_urgent = facts.due[delivery.pk] <= facts.at + APPROVE_BY
        what = "It is a draft: submit it for review" if delivery.state == State.DRAFT else "It waits for approval"
        text = f"{what}; it needs that within the hour." if is_urgent else f"{what}."
        yield Finding(RED if is_urgent else AMBER, "approval", text, url)
    elif delivery.approved_hash != facts.rendered[delivery.pk].content_hash:
        yield Finding(RED, "changed", "Its content is not what was approved. It needs a new approval.", url)
    if delivery.state == State.PAUSED:
        yield Finding(RED, "held", "It is held. Give it a time again to let it go.", delivery.get_absolute_url())


def _check_account(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    connection, url = delivery.connection, reverse("social:connection-list")
    if connection.status != Status.ACTIVE:
        why = connection.status_text or f"It is {connection.get_status_display().lower()}."
        yield Finding(RED, f"account_{connection.status}", f"{connection} cannot post. {why}", url)
        return
    has_media = any(part.media for part in facts.rendered[delivery.pk].parts)
    if missing := missing_scopes(connection, has_media=has_media):
        text = f"{connection} lacks the permission {', '.join(missing)}. Reconnect it and allow everything."
        yield Finding(RED, "missing_scopes", text, url)
    access = facts.access.get(connection.pk)
    if access is None:
        yield Finding(RED, "no_access", f"{connection} has no log-in any more. Reconnect it.", url)
    elif access.ends_at and not access.renews and access.ends_at <= facts.due[delivery.pk] + ENDS_SOON:
        is_over = access.ends_at <= facts.due[delivery.pk]
        when = "before" if is_over else "shortly after"
        text = f"The log-in of {connection} ends {when} this goes out and cannot be renewed. Reconnect it."
        yield Finding(RED if is_over else AMBER, "access_ends", text, url)


def _check_health(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    """How the network sees the account."""
    if card := facts.health.get(delivery.connection_id):
        text = f"{delivery.connection} {card['text']}. {' '.join(card['reasons'][:1])}".strip()
        level = RED if card["state"] == "suspended" else AMBER
        yield Finding(level, f"health_{card['state']}", text, reverse("social:connection-list"))


def _check_waits(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    """What makes it later without anybody's fault."""
    connection, due, url = delivery.connection, facts.due[delivery.pk], reverse("social:connection-list")
    if connection.limited_until and connection.limited_until > max(due, facts.at):
        yield Finding(
            AMBER, "rate_limit", f"{connection} has used up its rate window; it opens after this is due.", url
        )
    if connection.broken_until and connection.broken_until > max(due, facts.at):
        yield Finding(AMBER, "breaker", f"{connection} failed several times in a row and rests beyond this time.", url)
    if (until := facts.networks.get(connection.network)) and until > max(due, facts.at):
        name = connection.get_network_display()
        yield Finding(
            AMBER, "network_breaker", f"{name} fails for everybody at the moment. Posts wait until it is back."
        )
    if delivery.state == State.RETRY_WAIT and delivery.problem_text:
        text = f"The last try was refused: {delivery.problem_text}"
        yield Finding(AMBER, "retrying", text, delivery.get_absolute_url())
    if delivery.state == State.SCHEDULED and due < facts.at - LATE:
        yield Finding(AMBER, "overdue", "Its time has passed and it has not gone out yet.", delivery.get_absolute_url())


def _check_content(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    assets = {use.asset_id: use.asset for part in delivery.post.parts.all() for use in part.media.all()}
    url = delivery.post.get_absolute_url()
    for message in check_rendered(facts.rendered[delivery.pk], delivery.connection, assets):
        yield Finding(RED, "rules", message, url)
    for asset in assets.values():
        size = facts.files.get(asset.file)
        if size is None:
            yield Finding(RED, "file_missing", f"The file {asset.name} is gone from the storage. Add it again.", url)
        elif size != asset.size_bytes:
            text = f"The file {asset.name} in the storage is not the one that was approved. Add it again."
            yield Finding(RED, "file_changed", text, url)


def _check_guard(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    """As the worker will ask it: a block is not sent; what nobody has let through goes back to a reviewer."""
    decision, url = facts.judged.get(delivery.pk), delivery.post.get_absolute_url()
    if decision is None or decision.verdict == Verdict.ALLOW:
        return
    if decision.blocking:
        yield Finding(RED, "guard_blocked", " ".join(explain_hits(decision.blocking)[:2])[:300], url)
        return
    asking = [hit for hit in decision.hits if hit.severity != Severity.NOTE]
    said = explain_hits(asking)[0][:200]
    if delivery.state in UNAPPROVED:
        yield Finding(AMBER, "guard_review", f"A reviewer has to look: {said}", url)
    elif not decision.rules <= facts.let_through.get(delivery.pk, frozenset()):
        yield Finding(RED, "guard_review", f"A rule asks for another look before it goes out: {said}", url)


def _check_links(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    for url in facts.links_of[delivery.pk]:
        check = facts.links.get(url)
        if check and not check.is_ok:
            text = f"The link {url} does not answer: {check.problem or 'no answer'}"
            yield Finding(AMBER, "link", text[:300], delivery.post.get_absolute_url())


def _check_reply(delivery: Delivery, _facts: Facts) -> Iterator[Finding]:
    """X lets machines answer only those who asked for it."""
    if delivery.post.reply_to and not delivery.post.reply_facts.get("is_summoned"):
        text = "X takes this reply only when the other account mentioned this one, and nobody has seen that."
        yield Finding(RED, "not_summoned", text, delivery.post.get_absolute_url())


def _check_budget(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    if text := facts.unpaid.get(delivery.pk):
        yield Finding(RED, "budget", text, reverse("accounts:settings"))


def _check_plan(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    if text := facts.no_room.get(delivery.pk):
        yield Finding(RED, "plan_posts", text, reverse("accounts:plan"))


def _check_neighbours(delivery: Delivery, facts: Facts) -> Iterator[Finding]:
    if other := facts.clashes.get(delivery.pk):
        text = f"“{other.post}” goes out on {delivery.connection} within minutes of this."
        yield Finding(AMBER, "clash", text, other.get_absolute_url())
    if other := facts.repeats.get(delivery.pk):
        rule = " The network may refuse it." if RULES[delivery.connection.network].forbids_repeats else ""
        text = f"“{other.post}” on {other.connection} says the same.{rule}"
        yield Finding(AMBER, "same_text", text, other.get_absolute_url())


CHECKS: tuple[Callable[[Delivery, Facts], Iterator[Finding]], ...] = (
    _check_stops,
    _check_campaign,
    _check_approval,
    _check_account,
    _check_health,
    _check_content,
    _check_guard,
    _check_reply,
    _check_budget,
    _check_plan,
    _check_waits,
    _check_links,
    _check_neighbours,
)
