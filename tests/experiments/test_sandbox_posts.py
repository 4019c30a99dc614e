"""A paired-slot test all the way: approved, published by the engine, seen by the sandbox's audience, measured after a
day. FULL_PROOFS=1 runs it (`make prove` asks for it)."""

import os
from datetime import timedelta

import pytest

from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due
from experiments.looks import look_at
from experiments.models import Look, Unit
from experiments.services import ArmDraft
from lib.clock import now
from tests.analytics.collection.conftest import (  # noqa: F401 fixtures
    Travel,
    approve,
    begin,
    connected,
    connection,
    quick_engine,
    sandbox,
    sandbox_process,
    tick,
    travel,
)
from tests.experiments.cast import run_pairs

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("in_workspace"),
    pytest.mark.skipif(not os.environ.get("FULL_PROOFS"), reason="FULL_PROOFS=1 runs it"),
]
THINGS = ["espresso from Huehuetenango", "paper filters", "a grinder with steel burrs", "cold brew in bottles"]
THINGS += ["milk from the farm next door", "cups made of clay", "a class for beginners", "decaf that tastes of coffee"]
EVERY_DAY = [{"weekday": weekday, "time": "17:00"} for weekday in range(7)]


def run(bob_actor, connection, approve, tick, travel: Travel, *, factor: float) -> Look:  # noqa: F811
    """Seven pairs in two weeks; a question's true rates are `factor` times those of a statement."""
    rates = dict.fromkeys(("likes", "replies", "reposts", "quotes", "bookmarks"), factor)
    travel.sandbox.post("/audience/effects", effects={"question": rates}, builtin=False, rate_noise=0.1)
    arms = [
        ArmDraft(name, {"texts": [f"Now here: {thing}{end}" for thing in THINGS]})
        for name, end in (("Plain", "."), ("Question", "?"))
    ]
    begun = now()
    with travel.at(0):
        experiment = run_pairs(bob_actor, connection, arms=arms, settings={"pairs": 7, "slots": EVERY_DAY})
        units = Unit.objects.filter(experiment=experiment).select_related("delivery__post").order_by("planned_at")
    for unit in units:
        seconds = (unit.planned_at - begun).total_seconds() - travel.wait
        with travel.at(seconds - 60):
            approve(unit.delivery)
        with travel.at(seconds + 60):
            tick()
            adopt_live_parts()
            # Yesterday's is a day old by now.
            measure_due()
    with travel.at(seconds + timedelta(hours=24, minutes=2).total_seconds()):
        measure_due()
        return look_at(experiment)


def test_paired_slots_find_the_true_effect_of_the_wording(bob_actor, connection, approve, tick, travel):  # noqa: F811
    look = run(bob_actor, connection, approve, tick, travel, factor=2.5)
    assert len(look.result["pairs"]) == 7
    assert (look.verdict, look.refusals) == (Look.Verdict.BETTER, [])
    low, high = look.result["arms"][1]["lift"]["raw_interval"]
    # Rates of 3.3 % and 8.3 %, as odds.
    assert low < 1.65 < high


def test_paired_slots_find_nothing_where_there_is_nothing(bob_actor, connection, approve, tick, travel):  # noqa: F811
    look = run(bob_actor, connection, approve, tick, travel, factor=1.0)
    assert look.verdict == Look.Verdict.NO_DIFFERENCE
