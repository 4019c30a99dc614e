"""How tests of posts come to their end: with all that was promised measured, and nothing left in the calendar."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import MeasuredPost, Snapshot
from campaigns.deliveries import schedule_delivery
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from experiments import services
from experiments.designs import programme
from experiments.looks import look_at
from experiments.models import Experiment, Look, Unit
from experiments.services import ArmDraft
from lib.clock import now, shifted
from sandbox.audience import Taste
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post
from tests.experiments.cast import WORDINGS, create, draft_pairs, publish, run_pairs, run_split

pytestmark = pytest.mark.django_db
Status, Verdict = Experiment.Status, Look.Verdict
MORE = dict.fromkeys(("likes", "replies", "reposts", "quotes", "bookmarks"), 1.6)
TRUE = Taste({"question": MORE}, has_builtin=False, rate_noise=0.1)
STYLES = (ArmDraft("Plain", {"style": "Say it."}), ArmDraft("Question", {"style": "Ask it."}))


def units_of(experiment: Experiment) -> list[Unit]:
    return list(Unit.objects.filter(experiment=experiment).select_related("arm", "delivery__connection"))


def test_the_registered_end_waits_for_posts_that_still_gather(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery, settings={"pairs": 7})
    units = units_of(experiment)
    publish(units[:-1], TRUE)
    publish(units[-1:], TRUE, age_h=6)
    last = max(unit.planned_at for unit in units)
    Experiment.objects.filter(pk=experiment.pk).update(ends_at=last + timedelta(hours=7))
    experiment.refresh_from_db()
    with shifted(last + timedelta(hours=8) - now()):
        look = look_at(experiment)
        assert [refusal["code"] for refusal in look.refusals] == ["ages_differ"]
        assert experiment.status == Status.RUNNING
    snapshot = Snapshot.objects.get(post__delivery=units[-1].delivery)
    snapshot.age_s, snapshot.at = 24 * 3600, snapshot.at + timedelta(hours=18)
    snapshot.save()
    with shifted(last + timedelta(hours=25) - now()):
        assert look_at(experiment).refusals == []
    assert experiment.status == Status.STOPPED


@pytest.mark.parametrize("is_adopted", [True, False])
def test_a_post_that_nobody_measured_in_time_is_not_waited_for(roastery, bob_actor, is_adopted):
    experiment = run_pairs(bob_actor, roastery)
    units = units_of(experiment)
    publish(units, TRUE)
    rows = Snapshot.objects if is_adopted else MeasuredPost.objects
    rows.filter(**{"post__delivery" if is_adopted else "delivery": units[0].delivery}).delete()
    with shifted(units[0].planned_at + timedelta(hours=26) - now()):
        assert look_at(experiment).data["waiting"] == [str(units[0].pk)]
    with shifted(units[0].planned_at + timedelta(hours=27) - now()):
        look = look_at(experiment)
    assert look.data["excluded"] == [
        {"unit": str(units[0].pk), "reason": "Nobody measured it when it was 24 hours old."}
    ]
    assert experiment.status == Status.STOPPED


def test_the_registered_end_clears_the_calendar(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    publish(units_of(experiment)[:2], TRUE)
    with shifted(timedelta(days=91)):
        look_at(experiment)
    assert experiment.status == Status.STOPPED
    states = Delivery.objects.filter(pk__in=[unit.delivery_id for unit in units_of(experiment)])
    assert set(states.values_list("state", flat=True)) == {"published", "canceled"}


def test_no_more_posts_enter_a_programme_than_it_was_planned_for(roastery, bob_actor):
    draft = create(
        bob_actor,
        name="Style",
        hypothesis="Ask.",
        metric="engagement_rate",
        design="E",
        arms=STYLES,
        settings={"posts": 10},
    )
    experiment = services.start_experiment(draft, by=bob_actor)
    entered = [programme.enter(experiment, planned(bob_actor, roastery, day), by=bob_actor) for day in range(1, 11)]
    with pytest.raises(NotAllowedNow, match="All its posts have entered"):
        programme.enter(experiment, planned(bob_actor, roastery, 11), by=bob_actor)
    services.exclude_unit(entered[0], by=bob_actor, reason="A storm was on the news.")
    programme.enter(experiment, planned(bob_actor, roastery, 12), by=bob_actor)
    # They were written by people, and stay theirs.
    services.stop_experiment(experiment, by=bob_actor)
    assert not Delivery.objects.filter(state=Delivery.State.CANCELED).exists()


def test_styles_stay_what_they_were_once_posts_are_dealt_to_them(roastery, bob_actor):
    three = (*STYLES, ArmDraft("Short", {"style": "Say less."}))
    values = {"name": "Style", "hypothesis": "Ask.", "metric": "engagement_rate", "design": "E", "arms": three}
    experiment = services.start_experiment(create(bob_actor, **values), by=bob_actor)
    with pytest.raises(NotAllowedNow, match="Only a split of visitors"):
        services.close_arm(experiment.arms.get(key="c"), by=bob_actor)


def test_an_arm_of_what_is_over_stays_as_it_was(link, bob_actor):
    experiment = run_split(bob_actor, link)
    third = services.add_arm(experiment, ArmDraft("Third", {"url": "https://acme.example/3"}), by=bob_actor)
    services.stop_experiment(experiment, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="over"):
        services.close_arm(third, by=bob_actor)


def test_a_look_cannot_undo_an_exclusion(roastery, bob_actor):
    unit = units_of(run_pairs(bob_actor, roastery))[0]
    with CaptureQueriesContext(connection) as queries:
        services.exclude_unit(unit, by=bob_actor, reason="A storm was on the news.")
    locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    # Looks hold the experiment's row from before they read until they have written.
    assert 'FROM "experiments_experiment"' in locks[0]


def test_a_guardrail_that_nothing_watches_is_refused(roastery, bob_actor):
    with pytest.raises(ValidationError) as caught:
        draft_pairs(bob_actor, roastery, guardrails=[{"metric": "refund", "margin": 0.2}])
    assert "guardrails" in caught.value.message_dict


def planned(by, account: Connection, day: int) -> Delivery:
    delivery = Delivery.objects.get(post=add_post(by, account, text=f"Beans of day {day}."))
    return schedule_delivery(delivery, now() + timedelta(days=day), by=by)


def test_channels_of_two_networks_are_each_read_at_their_own_age(in_workspace, bob_actor):
    channel = Connection.objects.create(
        workspace=in_workspace, network="telegram", remote_id="-100", handle="beans", name="Beans"
    )
    channels = [add_connection(in_workspace, "roastery"), channel]
    settings = {
        "connections": [str(one.pk) for one in channels],
        "periods": 6,
        "slots": [{"weekday": 1, "time": "17:00"}],
    }
    draft = create(
        bob_actor,
        name="Both",
        hypothesis="Ask.",
        metric="engagement_rate",
        design="D",
        arms=WORDINGS,
        settings=settings,
        horizon_days=90,
    )
    experiment = services.start_experiment(draft, by=bob_actor)
    for one, age_h in zip(channels, (24, 72), strict=True):
        publish([unit for unit in units_of(experiment) if unit.delivery.connection == one], TRUE, age_h=age_h)
    look = look_at(experiment)
    assert (look.refusals, look.verdict) == ([], Verdict.BETTER)
