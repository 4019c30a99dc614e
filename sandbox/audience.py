"""A simulated audience: what a post earns, as a pure function of the post, the moment and a seed.

Totals are drawn once per post; a count at a moment is the share of its total that has arrived by then, so
every count only ever grows. Wording and hour change the means, which gives experiments a truth to find.
"""

import math
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime

BASE_REACH = 0.35
BASE_REACH_STRANGERS = 40
REACH = {"question": 1.20, "number": 1.10, "emoji": 1.08, "link": 0.65, "media": 1.30, "reply": 0.25}
HASHTAG_CROWDING = 0.90
LIKE_RATE = {"base": 0.020, "question": 0.90, "number": 1.00, "emoji": 1.25, "media": 1.20}
REPLY_RATE = {"base": 0.004, "question": 1.90}
REPOST_RATE = {"base": 0.005, "number": 1.25}
CLICK_RATE = {"base": 0.018, "question": 0.95, "number": 1.35, "emoji": 1.10}
PROFILE_RATE = {"base": 0.006}
QUOTE_RATE = {"base": 0.0010}
BOOKMARK_RATE = {"base": 0.0030, "number": 1.40}
VIEW_RATE = {"base": 0.40}
# Share of the final total and the hours after which 63 % of that share has arrived.
ARRIVAL = ((0.7, 1.5), (0.3, 18.0))
PEAK_HOUR_UTC = 17
HOUR_SWING = 0.35
NOISE_SIGMA = 0.25

_EMOJI = re.compile("[\U0001f300-\U0001faff☀-➿]")
_NUMBER = re.compile(r"(?<![\w@#])\d[\d.,%]*")


@dataclass(frozen=True)
class Facts:
    """What the audience can see: `key` makes the draw repeatable, `text` has no links in it."""

    key: str
    text: str
    created_at: float
    followers: int
    has_link: bool = False
    has_media: bool = False
    is_reply: bool = False


@dataclass(frozen=True)
class Counts:
    impressions: int
    likes: int
    replies: int
    reposts: int
    quotes: int
    bookmarks: int
    link_clicks: int
    profile_clicks: int
    video_views: int

    @property
    def engagements(self) -> int:
        spread = self.likes + self.replies + self.reposts + self.quotes + self.bookmarks
        return spread + self.link_clicks + self.profile_clicks


def features(facts: Facts) -> set[str]:
    found = {
        "question": "?" in facts.text or "？" in facts.text,
        "number": bool(_NUMBER.search(facts.text)),
        "emoji": bool(_EMOJI.search(facts.text)),
        "link": facts.has_link,
        "media": facts.has_media,
        "reply": facts.is_reply,
    }
    return {name for name, is_there in found.items() if is_there}


def counts_at(facts: Facts, now: float, seed: int) -> Counts:
    share = arrived(now - facts.created_at)
    # One generator per post, drawn in a fixed order, keeps the totals independent of the moment.
    rng = random.Random(f"{seed}:{facts.key}:{facts.text}")
    found = features(facts)
    reach = expected_reach(facts) * math.exp(rng.gauss(-(NOISE_SIGMA**2) / 2, NOISE_SIGMA))

    def count(rate: dict[str, float]) -> int:
        return int(_poisson(rng, reach * _product(rate, found)) * share)

    likes, replies, reposts = count(LIKE_RATE), count(REPLY_RATE), count(REPOST_RATE)
    quotes, bookmarks, profiles = count(QUOTE_RATE), count(BOOKMARK_RATE), count(PROFILE_RATE)
    clicks, views = count(CLICK_RATE), count(VIEW_RATE)
    return Counts(
        impressions=int(reach * share),
        likes=likes,
        replies=replies,
        reposts=reposts,
        quotes=quotes,
        bookmarks=bookmarks,
        link_clicks=clicks if facts.has_link else 0,
        profile_clicks=profiles,
        video_views=views if facts.has_media else 0,
    )


def expected_reach(facts: Facts) -> float:
    reach = facts.followers * BASE_REACH + BASE_REACH_STRANGERS
    if facts.text.count("#") > 2:
        reach *= HASHTAG_CROWDING
    return reach * hour_factor(facts.created_at) * _product(REACH, features(facts))


def arrived(age_seconds: float) -> float:
    """Share of the final total that has arrived: fast at first, then a long tail."""
    hours = max(0.0, age_seconds) / 3600
    return sum(share * (1 - math.exp(-hours / scale)) for share, scale in ARRIVAL)


def hour_factor(created_at: float) -> float:
    moment = datetime.fromtimestamp(created_at, UTC)
    hour = moment.hour + moment.minute / 60
    return 1 + HOUR_SWING * math.cos((hour - PEAK_HOUR_UTC) / 24 * 2 * math.pi)


def _product(effects: dict[str, float], found: set[str]) -> float:
    return math.prod(value for name, value in effects.items() if name == "base" or name in found)


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
