"""Rows and crowds that tests of experiments begin with. Call these inside the workspace's scope."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.access import Actor
from analytics.models import Exposure, Link, MeasuredPost, Snapshot
from analytics.tracking.ingest import EventRow, add_events
from analytics.tracking.links import create_link
from analytics.tracking.splits import split_of
from campaigns.models import Delivery
from experiments.looks import read
from experiments.models import Experiment, Look, Unit
from experiments.registration import register
from experiments.services import ArmDraft, create_experiment, start_experiment
from experiments.stats.posts import log_odds
from lib.clock import now
from lib.splitting import assign
from sandbox.audience import Facts, Taste, counts_at
from social.models import Connection

PAGES = (
    ArmDraft("Old page", {"url": "https://acme.example/old"}),
    ArmDraft("New page", {"url": "https://acme.example/new"}),
)
WORDINGS = (ArmDraft("Plain", {"text": "Fresh beans."}), ArmDraft("Question", {"text": "Fresh beans?"}))


def make_link(by: Actor, code: str = "") -> Link:
    return create_link("https://acme.example/", by=by, code=code, utm=False)


def create(by: Actor, **fields: Any) -> Experiment:
    """With an id that follows from how many there are: seeds and salts come from it, and so does every draw."""
    return create_experiment(by=by, pk=UUID(int=Experiment.objects.count() + 1), **fields)


def draft_split(by: Actor, *links: Link, arms: tuple[ArmDraft, ...] = PAGES, **fields: Any) -> Experiment:
    settings = {"links": [str(link.pk) for link in links]} | fields.pop("settings", {})
    values = {"name": "Landing page", "hypothesis": "The new page converts better.", "metric": "conversions"}
    return create(by, design="A", arms=arms, settings=settings, **values | fields)


def run_split(by: Actor, *links: Link, **fields: Any) -> Experiment:
    return start_experiment(draft_split(by, *links, **fields), by=by)


class Crowd:
    """Visitors with a true rate for each arm, drawn by the link's own split as the redirect does it."""

    def __init__(self, experiment: Experiment, link: Link, rates: Mapping[str, float], seed: int = 1) -> None:
        self.experiment, self.link, self.rates = experiment, link, rates
        self.random = random.Random(seed)
        self.number = 0

    def visit(self, people: int, *, bots: int = 0, lost: Mapping[str, float] | None = None, **fields: Any) -> int:
        """How many converted. `lost`: the share of each arm's visitors that never arrives."""
        self.link.refresh_from_db()
        rows = [self._exposure(False, fields) for _ in range(people)] + [
            self._exposure(True, fields) for _ in range(bots)
        ]
        kept = [row for row in rows if row and self.random.random() >= (lost or {}).get(row.arm, 0.0)]
        Exposure.objects.bulk_create(kept)
        return sum(row.converted_at is not None for row in kept)

    def _exposure(self, is_bot: bool, fields: Mapping[str, Any]) -> Exposure | None:
        self.number += 1
        unit = f"{self.random.getrandbits(96):024x}{self.number:08x}"
        split = self.link.split
        drawn = assign(split_of(split), unit)
        if drawn is None:
            return None
        arm = split["arms"][drawn.arm]["key"]
        at = fields.get("at", now())
        converts = not is_bot and self.random.random() < self.rates[arm]
        return Exposure(
            workspace=self.experiment.workspace,
            link=self.link,
            experiment_id=self.experiment.pk,
            unit=unit,
            arm=arm,
            propensity=drawn.propensity,
            epoch=drawn.epoch,
            salt=split["salt"],
            is_bot=is_bot,
            at=at,
            converted_at=at + timedelta(minutes=self.random.expovariate(1 / 20)) if converts else None,
        )


def note_clicks(exposures: Iterable[Exposure], device: str) -> None:
    """The clicks that go with them, from this device."""
    for row in exposures:
        click = EventRow("click", row.at, link_id=row.link_id, arm=row.arm, visitor=row.unit, device=device)
        add_events(row.workspace_id, [click])


def draft_pairs(by: Actor, connection: Connection, **fields: Any) -> Experiment:
    """Pairs on weekdays at five in the afternoon, a week apart."""
    slots = [{"weekday": weekday, "time": "17:00"} for weekday in (0, 2, 4)]
    settings = {"connection": str(connection.pk), "slots": slots, "pairs": 6} | fields.pop("settings", {})
    values = {"name": "Questions", "hypothesis": "Questions work better.", "metric": "engagement_rate"}
    arms = fields.pop("arms", WORDINGS)
    return create(by, design="C", arms=arms, settings=settings, **{"horizon_days": 90} | values | fields)


def run_pairs(by: Actor, connection: Connection, **fields: Any) -> Experiment:
    return start_experiment(draft_pairs(by, connection, **fields), by=by)


def publish(units: Iterable[Unit], taste: Taste, *, seed: int = 1, age_h: int = 24, followers: int = 20_000) -> None:
    """As if the engine had sent them when they were planned, and the sandbox's audience had seen them for `age_h`."""
    for unit in units:
        delivery, at = unit.delivery, unit.planned_at
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.PUBLISHED, published_at=at, fence=1)
        text = delivery.post.parts.get().text
        post = measured(delivery.connection, at, text, taste, seed=seed, age_h=age_h, followers=followers)
        post.delivery = delivery
        post.save()


def measured(
    connection: Connection,
    at: datetime,
    text: str,
    taste: Taste,
    *,
    seed: int = 1,
    age_h: int = 24,
    followers: int = 20_000,
) -> MeasuredPost:
    """What it earns follows from how many there are of the same text on this account, and the seed."""
    number = MeasuredPost.objects.filter(connection=connection, text=text).count()
    facts = Facts(f"{connection.handle} {number}", text, at.timestamp(), followers)
    counts = counts_at(facts, at.timestamp() + age_h * 3600, seed, taste)
    names = ("impressions", "likes", "replies", "reposts", "quotes", "bookmarks", "link_clicks", "profile_clicks")
    workspace = connection.workspace
    post = MeasuredPost.objects.create(
        workspace=workspace,
        connection=connection,
        remote_id=f"{connection.handle} {MeasuredPost.objects.count()}",
        text=text,
        published_at=at,
    )
    Snapshot.objects.create(
        workspace=workspace,
        post=post,
        age_s=age_h * 3600,
        at=at + timedelta(hours=age_h, minutes=2),
        source="x.lookup",
        metrics={name: getattr(counts, name) for name in names},
    )
    return post


def on_paper(experiment: Experiment, posts: list[dict[str, Any]], **data: Any) -> tuple[Experiment, dict[str, Any]]:
    """The experiment as if it ran, without a post of its own, and its data as if they had been collected."""
    experiment.status, experiment.started_at, experiment.ends_at = "running", now(), now() + timedelta(days=90)
    register(experiment)
    experiment.save()
    usual = {
        "unit": "post",
        "arms": ["a", "b"],
        "control": "a",
        "age_h": 24,
        "waiting": [],
        "to_come": 0,
        "excluded": [],
    }
    state = {"is_final": True, "is_stopped": False, "days_run": 60.0, "days_to_end": 30.0}
    return experiment, usual | state | {"posts": posts} | data


def paper_post(text: str, arm: str, block: str, position: int, taste: Taste, seed: int = 1) -> dict[str, Any]:
    """What a post of this text earned in a day at noon, of 20,000 followers."""
    counts = counts_at(Facts(f"{block} {arm}", text, 43_200, 20_000), 43_200 + 86_400, seed, taste)
    events = counts.likes + counts.replies + counts.reposts + counts.quotes + counts.bookmarks
    y, v = (float(values[0]) for values in log_odds([events], [counts.impressions]))
    seen = {"events": events, "exposures": counts.impressions, "y": y, "v": v, "baseline": 0.0, "age_h": 24.03}
    return {"unit": f"{block}/{arm}", "block": block, "position": position, "arm": arm, "late_min": 0, **seen}


def paper_pairs(
    by: Actor, connection: Connection, taste: Taste, *, pairs: int = 12, seed: int = 1, data: Any = None, **fields: Any
) -> tuple[Experiment, dict[str, Any]]:
    """Pairs of a statement and a question; every other one began with the question."""
    settings = {"pairs": pairs} | fields.pop("settings", {})
    experiment = draft_pairs(by, connection, settings=settings, **fields)
    posts = [
        paper_post(text, arm, f"pair {number:03}", (number + place) % 2, taste, seed)
        for number in range(pairs)
        for place, (arm, text) in enumerate((("a", "Fresh beans."), ("b", "Fresh beans?")))
    ]
    return on_paper(experiment, posts, **(data or {}))


def read_paper(experiment: Experiment, data: dict[str, Any]) -> Look:
    """As a look would, but not kept."""
    result, refused, verdict, sentence = read(experiment, data)
    return Look(experiment=experiment, result=result, refusals=refused, verdict=verdict, sentence=sentence, data=data)
