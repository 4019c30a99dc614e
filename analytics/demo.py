"""A month of sample numbers, so that a newcomer's results are not empty. Everything in it says that it is a sample.

The same numbers each time: they only move with the day on which the demo is loaded.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from accounts.access import Actor
from analytics import ages
from analytics.ages import engagements_of
from analytics.collection.adopt import NOT_HERE
from analytics.models import FollowerCount, Link, MeasuredPost, Snapshot, Target
from analytics.tracking.clicks import new_click
from analytics.tracking.conversions import Wanted, book_all
from analytics.tracking.ingest import EventRow, add_events
from analytics.tracking.links import create_link
from campaigns.models import Campaign
from lib.clock import now
from social.models import Connection, Network

SEED = 20
DAYS = 30
SAMPLE = "Sample numbers of the demo, not a real account."
FOLLOWERS = {Network.X: 4_200, Network.TELEGRAM: 1_350}
# Local hours, and what a post there reaches of its account's usual.
HOURS = {8: 0.9, 12: 1.0, 17: 1.25}
TEXTS = (
    "Sample: a new lot from Sidamo is on the shelf.",
    "Sample: which brewing method do you use at home?",
    "Sample: 5 reasons to let coffee rest for a week.",
    "Sample: behind the scenes of tonight's roast.",
    "Sample: our tasting on Saturday has 3 places left.",
)
QUESTION = 1
# Shares of the final total, and the hours in which 63 % of each share has come.
ARRIVAL = ((0.7, 1.5), (0.3, 18.0))
RATES = {
    "likes": 0.021,
    "replies": 0.005,
    "reposts": 0.006,
    "quotes": 0.001,
    "bookmarks": 0.003,
    "profile_clicks": 0.006,
}
CLICK_RATE, REACTION_RATE, CONVERSION_RATE = 0.018, 0.03, 0.045
DEVICES, LANGUAGES = (("phone", 6), ("desktop", 3), ("tablet", 1)), (("en", 5), ("de", 4), ("fr", 1))
REFERRERS = (("t.co", 5), ("t.me", 3), ("", 2))
TARGETS = (("impressions", 60_000), ("conversions", 80))


@dataclass(frozen=True)
class Sample:
    """One post and the totals that it ends with."""

    connection: Connection
    number: int
    published_at: datetime
    totals: dict[str, int]

    @property
    def text(self) -> str:
        return TEXTS[self.number % len(TEXTS)]

    def at(self, moment: datetime) -> dict[str, int]:
        share = arrived(moment - self.published_at)
        return {name: int(total * share) for name, total in self.totals.items()}


def add_numbers(by: Actor, campaign: Campaign) -> None:
    """Inside the workspace's scope."""
    rng = Random(SEED)  # noqa: S311 (samples, not secrets)
    zone = ZoneInfo(by.workspace.time_zone)
    today = now().astimezone(zone).date()
    accounts = [_add_account(network, by) for network in FOLLOWERS]
    samples = [sample for account in accounts for sample in _samples(account, today, zone, rng)]
    _add_posts(samples, campaign)
    for account in accounts:
        _add_followers(account, rng)
    links = [create_link(url, by=by, campaign=campaign, title=title) for title, url in LINKS]
    # Numbers from before it began would count for none of its goals.
    began = now() - timedelta(days=DAYS + 1)
    Link.objects.filter(pk__in=[link.pk for link in links]).update(created_at=began)
    Campaign.objects.filter(pk=campaign.pk).update(created_at=began)
    clicks = list(_clicks(links, samples, rng))
    add_events(by.workspace.pk, clicks)
    book_all(by.workspace, _conversions(clicks, rng), source="csv")
    for metric, value in TARGETS:
        Target.objects.create(workspace=by.workspace, campaign=campaign, metric=metric, value=value)


LINKS = (
    ("Sample: the shop", "https://example.com/shop?from=sample"),
    ("Sample: the tasting", "https://example.com/tasting?from=sample"),
)


def arrived(age: timedelta) -> float:
    hours = max(0.0, age.total_seconds()) / 3600
    return sum(share * (1 - math.exp(-hours / scale)) for share, scale in ARRIVAL)


def _add_account(network: Network, by: Actor) -> Connection:
    """Not connected, so that nothing is ever asked of it or sent to it."""
    return Connection.objects.create(
        workspace=by.workspace,
        network=network,
        remote_id=f"sample-{network}",
        kind="channel" if network == Network.TELEGRAM else "",
        handle=f"sample_{network}",
        name=f"Sample {network.label}",
        followers=FOLLOWERS[network],
        status=Connection.Status.DISCONNECTED,
        status_text=SAMPLE,
    )


# --- posts --------------------------------------------------------------------------------------------------


def _samples(account: Connection, today: date, zone: ZoneInfo, rng: Random) -> Iterator[Sample]:
    """One a day and sometimes two, up to an hour ago."""
    for day in range(DAYS, -1, -1):
        for hour in rng.sample(sorted(HOURS), rng.choice((1, 1, 2))):
            minute, number = rng.randrange(60), rng.randrange(len(TEXTS))
            published_at = datetime.combine(today - timedelta(days=day), time(hour, minute), zone)
            totals = _totals(account, hour, number, rng)
            if published_at < now() - timedelta(hours=1):
                yield Sample(account, number, published_at, totals)


def _totals(account: Connection, hour: int, number: int, rng: Random) -> dict[str, int]:
    reach = account.followers * 0.4 * HOURS[hour] * rng.lognormvariate(0, 0.25)
    if account.network == Network.TELEGRAM:
        return {"reactions": round(reach * REACTION_RATE * rng.uniform(0.7, 1.3))}
    liked = 1.6 if number == QUESTION else 1.0
    counts = {name: round(reach * rate * liked * rng.uniform(0.6, 1.4)) for name, rate in RATES.items()}
    return {"impressions": round(reach), "link_clicks": round(reach * CLICK_RATE)} | counts


def _add_posts(samples: list[Sample], campaign: Campaign) -> None:
    posts = [_post(sample, number, campaign) for number, sample in enumerate(samples, 1)]
    MeasuredPost.objects.bulk_create(posts)
    rows = [row for post, sample in zip(posts, samples, strict=True) for row in _snapshots(post, sample)]
    Snapshot.objects.bulk_create(rows)


def _post(sample: Sample, number: int, campaign: Campaign) -> MeasuredPost:
    newest = sample.at(now())
    return MeasuredPost(
        workspace_id=campaign.workspace_id,
        connection=sample.connection,
        remote_id=f"sample-{number}",
        campaign=campaign,
        text=sample.text,
        published_at=sample.published_at,
        next_age=len(ages.AGES),
        measured_at=now(),
        engagements=engagements_of(newest),
        missing=_missing(sample),
        **newest,
    )


def _missing(sample: Sample) -> dict[str, str]:
    network = Network(sample.connection.network)
    missing: dict[str, str] = dict.fromkeys((*NOT_HERE[network], "joins"), ages.Missing.NOT_HERE)
    if network == Network.TELEGRAM:
        return missing | {"impressions": ages.Missing.NEEDS_SESSION}
    return missing | {"video_views": ages.Missing.NOT_HERE}


def _snapshots(post: MeasuredPost, sample: Sample) -> Iterator[Snapshot]:
    is_x = sample.connection.network == Network.X
    for index, age_s in enumerate(ages.AGES):
        at = ages.planned_at(sample.published_at, index)
        if at <= now():
            yield Snapshot(
                workspace_id=post.workspace_id,
                post=post,
                age_s=age_s,
                at=at,
                source="x.lookup" if is_x else "telegram.updates",
                kind=Snapshot.Kind.EXACT if is_x else Snapshot.Kind.DELAYED,
                metrics=sample.at(at),
                missing=_missing(sample),
            )


def _add_followers(account: Connection, rng: Random) -> None:
    count, today, rows = account.followers, now().date(), []
    for day in range(DAYS + 1):
        rows.append(
            FollowerCount(
                workspace_id=account.workspace_id, connection=account, day=today - timedelta(days=day), count=count
            )
        )
        count -= rng.randrange(2, 14)
    FollowerCount.objects.bulk_create(rows)


# --- visitors -----------------------------------------------------------------------------------------------


def _clicks(links: list[Link], samples: list[Sample], rng: Random) -> Iterator[EventRow]:
    """They follow the posts that people saw; a few of them are bots, most of those right after publishing."""
    for sample in samples:
        wanted = sample.totals.get("link_clicks", sample.totals.get("reactions", 0) // 3)
        for number in range(wanted):
            is_bot = number < 2
            hours = rng.random() * 0.05 if is_bot else rng.expovariate(1 / 5)
            at = sample.published_at + timedelta(hours=hours)
            click = _click(rng.choice(links), at, is_bot, rng)
            if at < now():
                yield click


def _click(link: Link, at: datetime, is_bot: bool, rng: Random) -> EventRow:
    pk, instant = new_click(at)
    return EventRow(
        "click",
        instant,
        id=pk,
        campaign_id=link.campaign_id,
        link_id=link.pk,
        visitor=f"{rng.getrandbits(128):032x}",
        is_bot=is_bot,
        bot_reason="agent" if is_bot else "",
        referrer="" if is_bot else _one_of(REFERRERS, rng),
        device="bot" if is_bot else _one_of(DEVICES, rng),
        language="" if is_bot else _one_of(LANGUAGES, rng),
    )


def _one_of(choices: Any, rng: Random) -> str:
    values, weights = zip(*choices, strict=True)
    return str(rng.choices(values, weights)[0])


def _conversions(clicks: list[EventRow], rng: Random) -> Iterator[Wanted]:
    for number, click in enumerate(clicks):
        at = click.at + timedelta(minutes=rng.expovariate(1 / 20))
        value = round(max(6.0, rng.gauss(32, 9)), 2)
        if rng.random() < CONVERSION_RATE and not click.is_bot and at < now():
            yield Wanted(f"sample-{number}", "purchase", at, round(value * 1_000_000), click_id=click.id)
