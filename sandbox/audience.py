"""A simulated audience: what a post earns, as a pure function of the post, the moment and a seed.

Totals are drawn once per post; a count at a moment is the share of its total that has arrived by then, so
every count only ever grows. Wording and hour change the means, which gives experiments a truth to find.
"""

import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
# In the order of the draws: another order would change what every seed earns.
RATES: dict[str, dict[str, float]] = {
    "likes": LIKE_RATE,
    "replies": REPLY_RATE,
    "reposts": REPOST_RATE,
    "quotes": QUOTE_RATE,
    "bookmarks": BOOKMARK_RATE,
    "profiles": PROFILE_RATE,
    "clicks": CLICK_RATE,
    "views": VIEW_RATE,
}
# What counts as engagement, for which an effect without a name is meant.
ENGAGEMENTS = ("likes", "replies", "reposts", "quotes", "bookmarks", "clicks", "profiles")
FEATURES = ("question", "number", "emoji", "link", "media", "reply")
CONTAINS = "contains:"
CHANNEL_REACH = 0.45
FOLLOW_RATE = 0.15
FOLLOWERS_PER_DAY = 0.0005
DAY_SECONDS = 86400
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
    # A channel shows everything to its members only; a feed ranks, and shows strangers some.
    is_feed: bool = True


@dataclass(frozen=True)
class Taste:
    """What wording, hour and chance do. `effects`: feature to factors by rate, "reach" among them."""

    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    has_builtin: bool = True
    swing: float = HOUR_SWING
    peak: float = PEAK_HOUR_UTC
    rate_swing: float = 0.0
    # SDs of the logs of reach and rates between posts.
    noise: float = NOISE_SIGMA
    rate_noise: float = 0.0
    is_counting: bool = True

    def effect(self, feature: str, name: str) -> float:
        if feature in self.effects:
            return self.effects[feature].get(name, 1.0)
        usual = REACH if name == "reach" else RATES[name]
        return usual.get(feature, 1.0) if self.has_builtin else 1.0


USUAL = Taste()


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


def noticed(facts: Facts, taste: Taste) -> set[str]:
    """The features, and the words that this taste looks for."""
    words = facts.text.lower()
    sought = {name for name in taste.effects if name.startswith(CONTAINS)}
    return features(facts) | {name for name in sought if name.removeprefix(CONTAINS).lower() in words}


def counts_at(facts: Facts, now: float, seed: int, taste: Taste = USUAL) -> Counts:
    share = arrived(now - facts.created_at)
    # One generator per post, drawn in a fixed order, keeps the totals independent of the moment.
    rng = random.Random(f"{seed}:{facts.key}:{facts.text}")
    reach = expected_reach(facts, taste) * _log_normal(rng, taste.noise)
    spread = _log_normal(random.Random(f"{seed}:{facts.key}:{facts.text}:rates"), taste.rate_noise)
    earned = {}
    for name, rate in expected_rates(facts, taste).items():
        mean = reach * min(1.0, rate * spread)
        earned[name] = int((_poisson(rng, mean) if taste.is_counting else mean) * share)
    return Counts(
        impressions=int(reach * share),
        likes=earned["likes"],
        replies=earned["replies"],
        reposts=earned["reposts"],
        quotes=earned["quotes"],
        bookmarks=earned["bookmarks"],
        link_clicks=earned["clicks"] if facts.has_link else 0,
        profile_clicks=earned["profiles"],
        video_views=earned["views"] if facts.has_media else 0,
    )


def expected_reach(facts: Facts, taste: Taste = USUAL) -> float:
    found = noticed(facts, taste)
    reach = facts.followers * BASE_REACH + BASE_REACH_STRANGERS
    if not facts.is_feed:
        # Nobody hides a link from those who subscribed.
        reach, found = facts.followers * CHANNEL_REACH, found - {"link"}
    elif taste.has_builtin and facts.text.count("#") > 2:
        reach *= HASHTAG_CROWDING
    return reach * hour_factor(facts.created_at, taste.swing, taste.peak) * _product(taste, found, "reach")


def expected_rates(facts: Facts, taste: Taste = USUAL) -> dict[str, float]:
    """Per impression; clicks and views as if there were a link and a video."""
    found = noticed(facts, taste)
    hour = hour_factor(facts.created_at, taste.rate_swing, taste.peak)
    return {name: rate["base"] * hour * _product(taste, found, name) for name, rate in RATES.items()}


def new_followers(base: int, since: float, now: float, earned: list[Counts]) -> int:
    """Who followed since then: some of those who looked at the profile, and some who always do."""
    days = max(0.0, now - since) / DAY_SECONDS
    return int(base * FOLLOWERS_PER_DAY * days) + sum(int(counts.profile_clicks * FOLLOW_RATE) for counts in earned)


def arrived(age_seconds: float) -> float:
    """Share of the final total that has arrived: fast at first, then a long tail."""
    hours = max(0.0, age_seconds) / 3600
    return sum(share * (1 - math.exp(-hours / scale)) for share, scale in ARRIVAL)


def hour_factor(created_at: float, swing: float = HOUR_SWING, peak: float = PEAK_HOUR_UTC) -> float:
    moment = datetime.fromtimestamp(created_at, UTC)
    hour = moment.hour + moment.minute / 60
    return 1 + swing * math.cos((hour - peak) / 24 * 2 * math.pi)


def _product(taste: Taste, found: set[str], name: str) -> float:
    # Sorted, so that the last digit does not depend on the order of a set.
    return math.prod(taste.effect(feature, name) for feature in sorted(found))


def _log_normal(rng: random.Random, sigma: float) -> float:
    """A factor around 1; its mean is 1."""
    return math.exp(rng.gauss(-(sigma**2) / 2, sigma))


def _poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
