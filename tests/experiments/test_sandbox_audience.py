"""Real visitors over HTTP: the sandbox's people follow a short link, land on the arm they were given and convert there.

Larger crowds with FULL_PROOFS=1 (`make prove` asks for them).
"""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from accounts.scope import workspace_scope
from analytics.models import Exposure, Link, Tracking
from experiments import services
from experiments.allocation import next_epoch
from experiments.looks import look_at
from experiments.models import Experiment, Look
from experiments.services import ArmDraft
from lib.clock import shifted
from sandbox.testing import start_sandbox
from tests.experiments.cast import create, make_link

pytestmark = pytest.mark.django_db(transaction=True)
FULL = bool(os.environ.get("FULL_PROOFS"))
full_only = pytest.mark.skipif(not FULL, reason="FULL_PROOFS=1 sends thousands of visitors")
PIXEL_KEY = "sandboxpixelkey000000000"
Verdict = Look.Verdict


class Town:
    """The sandbox's people, and landing pages whose true rates are set."""

    def __init__(self, url: str, product: str) -> None:
        self.url, self.product = url, product

    def order(self, path: str, **fields: object) -> dict:
        answer = requests.post(f"{self.url}/_sandbox/audience/{path}", json=fields, timeout=300)
        assert answer.ok, answer.text
        return answer.json()

    def landing(self, arm: str) -> str:
        return f"{self.url}/_sandbox/landing/shop?variant={arm}"

    def set_rates(self, **rates: float) -> None:
        pixel = f"{self.product}/t/{PIXEL_KEY}.gif?c={{rcid}}&order={{order}}"
        self.order("landings", name="shop", rates=rates, pixel=pixel)

    def visit(self, link: Link, people: int, seed: int, **fields: object) -> dict:
        report = self.order("click", urls=[f"{self.product}/l/{link.code}"], visitors=people, seed=seed, **fields)
        assert report["failed"] == {}
        return report


@pytest.fixture
def town(live_server, tmp_path, settings) -> Iterator[Town]:
    settings.TRUSTED_PROXIES = 1
    url, process = start_sandbox(tmp_path / "sandbox")
    yield Town(url, live_server.url)
    process.terminate()
    process.wait(10)


@pytest.fixture
def link(town: Town, workspace, bob_actor) -> Link:
    with workspace_scope(workspace.pk):
        Tracking.objects.create(workspace=workspace, pixel_key=PIXEL_KEY, uses_cookie=True)
        return make_link(bob_actor)


def run(by, town: Town, link: Link, keys: str = "ab", **fields) -> Experiment:
    arms = [ArmDraft(f"Page {key}", {"url": town.landing(key)}) for key in keys]
    values = {"name": "Shop", "hypothesis": "B sells more.", "design": "A", "metric": "conversions"}
    with workspace_scope(by.workspace.pk):
        settings = {"links": [str(link.pk)]} | fields.pop("settings", {})
        return services.start_experiment(create(by, arms=arms, settings=settings, **values | fields), by=by)


def look(experiment: Experiment, **delta: float) -> Look:
    with shifted(timedelta(**delta)), workspace_scope(experiment.workspace_id):
        return look_at(experiment)


def test_a_link_split_reaches_the_true_answer(town, link, bob_actor):
    experiment = run(bob_actor, town, link, settings={"base_rate": 0.1, "mde": 1})
    town.set_rates(a=0.1, b=0.9)
    report = town.visit(link, 600 if FULL else 120, seed=5, bots=0.1, repeat=0.2)
    found = look(experiment, hours=30)
    arms = {arm["key"]: arm for arm in found.result["arms"]}
    # Everybody is counted once, in the arm whose page they saw, and so is what they did there.
    assert {key: arm["units"] for key, arm in arms.items()} == report["landed"]
    assert {key: arm["hits"] for key, arm in arms.items()} == report["conversions"]
    assert report["switched"] == 0
    assert sum(found.result["health"]["bots"].values()) > 0
    assert not found.result["health"]["is_broken"]
    assert found.verdict == Verdict.BETTER
    low, high = arms["b"]["lift"]["raw_interval"]
    assert low < 8 < (high or float("inf"))


@full_only
def test_an_a_a_ends_without_a_meaningful_difference(town, link, bob_actor):
    experiment = run(bob_actor, town, link, settings={"base_rate": 0.2, "mde": 0.4})
    town.set_rates(a=0.2, b=0.2)
    for day in range(4):
        town.visit(link, 300, seed=20 + day)
        # It may be sure of it before its end.
        assert look(experiment, days=day + 1).verdict in {Verdict.KEEP_GOING, Verdict.NO_DIFFERENCE}
    found = look(experiment, days=28)
    assert found.verdict == Verdict.NO_DIFFERENCE
    assert found.sentence.startswith("No meaningful difference")


@full_only
def test_a_bandit_earns_more_than_equal_shares(town, link, bob_actor):
    rates = {"a": 0.10, "b": 0.08, "c": 0.25, "d": 0.09}
    town.set_rates(**rates)
    earned = {}
    for policy in ("fixed", "thompson"):
        with workspace_scope(bob_actor.workspace.pk):
            own = make_link(bob_actor)
        experiment = run(bob_actor, town, own, "abcd", allocation=policy)
        earned[policy] = 0
        for day in range(6):
            earned[policy] += sum(town.visit(own, 150, seed=40 + day)["conversions"].values())
            with shifted(timedelta(days=day + 2)), workspace_scope(experiment.workspace_id):
                next_epoch(experiment)
    assert earned["thompson"] > 1.15 * earned["fixed"]


@full_only
def test_a_broken_split_is_stopped(town, link, bob_actor):
    experiment = run(bob_actor, town, link)
    town.set_rates(a=0.1, b=0.3)
    town.visit(link, 500, seed=60)
    with workspace_scope(experiment.workspace_id):
        # A page that swallows a third of its visitors before they are counted.
        lost = Exposure.objects.filter(arm="b").order_by("unit").values_list("pk", flat=True)
        Exposure.objects.filter(pk__in=list(lost)[::3]).delete()
    found = look(experiment, hours=2)
    assert found.refusals[0]["code"] == "broken_split"
    with workspace_scope(experiment.workspace_id):
        assert Experiment.objects.get(pk=experiment.pk).status == Experiment.Status.PAUSED
