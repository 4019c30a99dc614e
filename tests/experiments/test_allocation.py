"""Bandits: every change of shares is an epoch that can be computed again, and the better arm earns."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from accounts.models import AuditDetail
from analytics.models import Tracking
from experiments import allocation, services
from experiments.allocation import next_epoch, replay
from experiments.canonical import digest
from experiments.looks import look_at
from experiments.models import Epoch, Experiment, Look
from experiments.services import ArmDraft
from experiments.tasks import tend
from lib.clock import now, shifted
from tests.experiments.cast import PAGES, Crowd, run_split

pytestmark = pytest.mark.django_db
FOUR = (
    *PAGES,
    ArmDraft("Third", {"url": "https://acme.example/3"}),
    ArmDraft("Fourth", {"url": "https://acme.example/4"}),
)
POLICIES = ["thompson", "top_two", "kl_ucb", "epsilon"]


def run_bandit(by, link, policy: str = "thompson", **fields) -> Experiment:
    return run_split(by, link, allocation=policy, **fields)


def visited(experiment: Experiment, link, rates, people: int = 600, seed: int = 1) -> Crowd:
    crowd = Crowd(experiment, link, rates, seed)
    crowd.visit(people)
    return crowd


@pytest.mark.parametrize("policy", POLICIES)
def test_shares_move_to_the_better_arm_and_keep_the_floor(link, bob_actor, policy):
    experiment = run_bandit(bob_actor, link, policy, arms=FOUR)
    visited(experiment, link, {"a": 0.1, "b": 0.3, "c": 0.05, "d": 0.1})
    with shifted(timedelta(hours=30)):
        epoch = next_epoch(experiment)
    link.refresh_from_db()
    assert epoch.number == 2
    assert max(epoch.weights, key=epoch.weights.get) == "b"
    # A tenth at equal shares, and the floor in the rest.
    assert min(epoch.weights.values()) >= 0.1 / 4 + 0.9 * 0.02 - 1e-12
    assert sum(epoch.weights.values()) == pytest.approx(1)
    assert {arm["key"]: arm["weight"] for arm in link.split["arms"]} == epoch.weights
    assert link.split["epoch"] == 2


@pytest.mark.parametrize("policy", POLICIES)
def test_an_epoch_can_be_computed_again_from_what_it_keeps(link, bob_actor, policy):
    experiment = run_bandit(bob_actor, link, policy, arms=FOUR, settings={"half_life_days": 3})
    visited(experiment, link, {"a": 0.1, "b": 0.12, "c": 0.2, "d": 0.05})
    with shifted(timedelta(hours=30)):
        next_epoch(experiment)
    for epoch in Epoch.objects.filter(experiment=experiment):
        again = replay(epoch)
        assert again.keys() == epoch.weights.keys()
        assert all(abs(again[key] - epoch.weights[key]) < 1e-12 for key in again)
        assert digest(epoch.data) == epoch.data_hash


def test_every_epoch_is_in_the_audit_trail_with_its_seed_and_data(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    visited(experiment, link, {"a": 0.1, "b": 0.3})
    with shifted(timedelta(hours=30)):
        epoch = next_epoch(experiment)
    told = AuditDetail.objects.filter(entry__action="experiment.epoch").order_by("entry__number").last().data
    assert (told["number"], told["seed"], told["data_hash"]) == (2, epoch.seed, epoch.data_hash)
    assert told["weights"] == epoch.weights


def test_nothing_moves_in_the_first_day(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    visited(experiment, link, {"a": 0.1, "b": 0.5})
    with shifted(timedelta(hours=23)):
        assert next_epoch(experiment) is None


def test_fixed_shares_stay(link, bob_actor):
    experiment = run_split(bob_actor, link)
    visited(experiment, link, {"a": 0.1, "b": 0.5})
    with shifted(timedelta(hours=30)):
        assert next_epoch(experiment) is None


def test_shares_that_would_hardly_move_make_no_epoch(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    visited(experiment, link, {"a": 0.1, "b": 0.3})
    with shifted(timedelta(hours=30)):
        assert next_epoch(experiment)
        assert next_epoch(experiment) is None


def test_whoever_has_an_arm_keeps_it_in_the_next_epoch(link, bob_actor, client):
    Tracking.objects.create(workspace=link.workspace, pixel_key="k" * 24, uses_cookie=True)
    experiment = run_bandit(bob_actor, link)
    headers = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "accept-language": "de"}
    first = client.get(f"/l/{link.code}", headers=headers)["Location"]
    # The other arm gets almost everybody now.
    rates = {"a": 0.0, "b": 1.0} if "/old" in first else {"a": 1.0, "b": 0.0}
    visited(experiment, link, rates, people=100)
    with shifted(timedelta(hours=30)):
        next_epoch(experiment)
        again = [client.get(f"/l/{link.code}", headers=headers)["Location"] for _ in range(5)]
    assert {urlsplit(url).path for url in again} == {urlsplit(first).path}


def test_visitors_who_may_still_convert_are_not_held_against_their_arm(link, bob_actor):
    """The same arm, seen an hour ago or long ago: fresh visitors without a conversion say less."""
    experiment = run_bandit(bob_actor, link)
    visited(experiment, link, {"a": 0.2, "b": 0.2})
    crowd = Crowd(experiment, link, {"a": 0.2, "b": 0.0}, seed=9)
    with shifted(timedelta(hours=30)):
        crowd.visit(60)
        data = allocation.bandit_data(experiment)
        fresh = allocation.weights_of(data)
    old = {**data, "ages": [[arm, hour + 200, *rest] for arm, hour, *rest in data["ages"]]}
    assert fresh["b"] > allocation.weights_of(old)["b"]


def test_lower_is_better_turns_the_shares_round(link, bob_actor):
    experiment = run_bandit(bob_actor, link, lower_is_better=True)
    visited(experiment, link, {"a": 0.1, "b": 0.3})
    with shifted(timedelta(hours=30)):
        weights = next_epoch(experiment).weights
    assert weights["a"] > weights["b"]


def test_a_bandit_earns_more_than_equal_shares(link, bob_actor):
    """Four pages, one of them twice as good: eight days of 150 visitors, once by a bandit and once in equal shares."""
    rates = {"a": 0.10, "b": 0.08, "c": 0.20, "d": 0.09}
    earned = {policy: week_of(bob_actor, policy, rates) for policy in ("thompson", "fixed")}
    assert earned["thompson"] > 1.15 * earned["fixed"]


def week_of(by, policy: str, rates, days: int = 8) -> int:
    from tests.experiments.cast import make_link

    link = make_link(by)
    experiment = run_split(by, link, allocation=policy, arms=FOUR)
    crowd = Crowd(experiment, link, rates, seed=4)
    earned = 0
    for day in range(days):
        with shifted(timedelta(days=day, hours=1)):
            earned += crowd.visit(150)
        with shifted(timedelta(days=day + 1)):
            next_epoch(experiment)
    return earned


def test_the_effect_stays_honest_while_shares_and_rates_move(link, bob_actor):
    """The rate of both pages doubles after the shares moved to the better one: pooled rates would exaggerate."""
    experiment = run_bandit(bob_actor, link)
    crowd = Crowd(experiment, link, {"a": 0.08, "b": 0.12})
    crowd.visit(1500)
    with shifted(timedelta(days=2)):
        next_epoch(experiment)
        crowd.rates = {"a": 0.24, "b": 0.36}
        crowd.visit(1500)
        look = look_at(experiment)
    arms = {arm["key"]: arm for arm in look.result["arms"]}
    pooled = arms["b"]["rate"] / arms["a"]["rate"] - 1
    assert pooled > 0.8
    assert arms["b"]["lift"]["raw"] == pytest.approx(0.5, abs=0.25)
    assert not look.result["health"]["is_broken"]


def test_a_bandit_of_equals_finds_no_winner(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    crowd = Crowd(experiment, link, {"a": 0.1, "b": 0.1}, seed=5)
    verdicts = set()
    for day in range(1, 5):
        crowd.visit(300)
        with shifted(timedelta(days=day)):
            verdicts.add(look_at(experiment).verdict)
            next_epoch(experiment)
    assert verdicts == {Look.Verdict.KEEP_GOING}


def test_the_tick_sets_shares_every_hour(link, bob_actor, workspace):
    experiment = run_bandit(bob_actor, link)
    visited(experiment, link, {"a": 0.1, "b": 0.3})
    with shifted(timedelta(days=3)):
        assert tend(workspace.pk, experiment.pk)
        experiment.refresh_from_db()
        assert timedelta(minutes=59) < experiment.due_at - now() < timedelta(minutes=61)
    assert experiment.epochs.count() == 2


def test_a_late_arm_gets_its_share_of_a_running_bandit(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    crowd = visited(experiment, link, {"a": 0.1, "b": 0.2, "c": 0.5})
    services.add_arm(experiment, ArmDraft("Late", {"url": "https://acme.example/late"}), by=bob_actor)
    with shifted(timedelta(hours=30)):
        crowd.visit(300)
        weights = next_epoch(experiment).weights
    assert max(weights, key=weights.get) == "c"


def test_no_visitors_keep_equal_shares(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    with shifted(timedelta(hours=30)):
        assert next_epoch(experiment) is None
    assert allocation.weights_of(allocation.bandit_data(experiment)) == pytest.approx({"a": 0.5, "b": 0.5})


def test_a_bandit_says_when_waiting_hardly_pays(link, bob_actor):
    experiment = run_bandit(bob_actor, link)
    crowd = visited(experiment, link, {"a": 0.05, "b": 0.08}, people=900)
    with shifted(timedelta(days=2)):
        assert not look_at(experiment).result["is_settled"]
    crowd.visit(900)
    with shifted(timedelta(days=8)):
        look = look_at(experiment)
    assert look.result["is_settled"]
    assert (look.result["leader"], "make it the winner" in look.sentence) == ("b", look.verdict == "keep_going")
