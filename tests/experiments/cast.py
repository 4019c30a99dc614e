"""Rows and crowds that tests of experiments begin with. Call these inside the workspace's scope."""

import random
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from accounts.access import Actor
from analytics.models import Exposure, Link
from analytics.tracking.ingest import EventRow, add_events
from analytics.tracking.links import create_link
from analytics.tracking.splits import split_of
from experiments.models import Experiment
from experiments.services import ArmDraft, create_experiment, start_experiment
from lib.clock import now
from lib.splitting import assign

PAGES = (
    ArmDraft("Old page", {"url": "https://acme.example/old"}),
    ArmDraft("New page", {"url": "https://acme.example/new"}),
)
WORDINGS = (ArmDraft("Plain", {"text": "Fresh beans."}), ArmDraft("Question", {"text": "Fresh beans?"}))


def make_link(by: Actor, code: str = "") -> Link:
    return create_link("https://acme.example/", by=by, code=code, utm=False)


def draft_split(by: Actor, *links: Link, arms: tuple[ArmDraft, ...] = PAGES, **fields: Any) -> Experiment:
    settings = {"links": [str(link.pk) for link in links]} | fields.pop("settings", {})
    values = {"name": "Landing page", "hypothesis": "The new page converts better.", "metric": "conversions"}
    return create_experiment(by=by, design="A", arms=arms, settings=settings, **values | fields)


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
