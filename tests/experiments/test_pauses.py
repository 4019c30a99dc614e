"""What changes while an experiment stands still holds when it goes on."""

import pytest

from experiments import services
from tests.experiments.cast import run_split

pytestmark = pytest.mark.django_db
THIRD = services.ArmDraft("Third", {"url": "https://acme.example/3"})


def test_an_arm_that_came_during_a_pause_gets_its_share(link, bob_actor):
    experiment = run_split(bob_actor, link)
    services.pause_experiment(experiment, by=bob_actor)
    services.add_arm(experiment, THIRD, by=bob_actor)
    services.resume_experiment(experiment, by=bob_actor)
    link.refresh_from_db()
    assert [arm["weight"] for arm in link.split["arms"]] == pytest.approx([1 / 3] * 3)
    assert (link.split["share"], link.split["epoch"]) == (1, 2)


def test_an_arm_that_closed_during_a_pause_gets_nobody(link, bob_actor):
    experiment = run_split(bob_actor, link)
    third = services.add_arm(experiment, THIRD, by=bob_actor)
    services.pause_experiment(experiment, by=bob_actor)
    services.close_arm(third, by=bob_actor)
    services.resume_experiment(experiment, by=bob_actor)
    link.refresh_from_db()
    assert [arm["weight"] for arm in link.split["arms"]] == [0.5, 0.5, 0]


def test_without_such_a_change_the_epoch_goes_on(link, bob_actor):
    experiment = run_split(bob_actor, link)
    services.pause_experiment(experiment, by=bob_actor)
    services.resume_experiment(experiment, by=bob_actor)
    link.refresh_from_db()
    assert (link.split["share"], link.split["epoch"]) == (1, 1)
