"""Pairs of posts on the sandbox's audience, whose true effect of wording is known."""

import math
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from analytics.models import MeasuredPost, Snapshot
from campaigns.models import Delivery, Slot
from experiments import services
from experiments.looks import look_at
from experiments.models import Experiment, Look, Unit
from experiments.outcomes import age_of
from experiments.post_making import is_one_block
from experiments.services import ArmDraft
from experiments.slots import paired_times
from lib.clock import now, shifted
from lib.splitting import score
from sandbox.audience import Taste
from social.models import Connection
from tests.experiments.cast import draft_pairs, measured, paper_pairs, publish, read_paper, run_pairs

pytestmark = pytest.mark.django_db
Status, Verdict, State = Experiment.Status, Look.Verdict, Unit.State
BERLIN = ZoneInfo("Europe/Berlin")
# Questions earn a third more of everything per impression; posts differ from one another beyond that.
MORE = dict.fromkeys(("likes", "replies", "reposts", "quotes", "bookmarks"), 1.35)
TRUE = Taste({"question": MORE}, has_builtin=False, swing=0, rate_noise=0.15)
NOTHING = Taste(has_builtin=False, swing=0, rate_noise=0.15)


def units_of(experiment: Experiment) -> list[Unit]:
    return list(Unit.objects.filter(experiment=experiment).select_related("delivery__post", "delivery__connection"))


def times_of(by, connection, count: int = 6, **settings) -> list[datetime]:
    """All times of a plan, without a post."""
    experiment = draft_pairs(by, connection, settings=settings)
    return sorted(at for pair in paired_times(experiment, connection, count) for at in pair)


def test_posts_stand_in_the_calendar_in_pairs_a_week_apart(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    units = units_of(experiment)
    assert len(units) == 12
    assert {unit.delivery.state for unit in units} == {Delivery.State.DRAFT}
    assert all(unit.delivery.scheduled_at == unit.planned_at for unit in units)
    for first, second in zip(units[::2], units[1::2], strict=True):
        assert first.block == second.block
        assert {first.arm.key, second.arm.key} == {"a", "b"}
        assert {first.delivery.post.parts.get().text, second.delivery.post.parts.get().text} == {
            "Fresh beans.",
            "Fresh beans?",
        }
        days = second.planned_at.astimezone(BERLIN).date() - first.planned_at.astimezone(BERLIN).date()
        assert days == timedelta(days=7)
        assert len({unit.planned_at.astimezone(BERLIN).strftime("%a %H:%M") for unit in (first, second)}) == 1
    # Which goes first is drawn, by the seed alone, and both do.
    order = [unit.arm.key for unit in units if unit.position == 0]
    assert order == ["b" if score(f"{experiment.seed}/order", str(number)) >= 0.5 else "a" for number in range(6)]
    assert is_one_block(units[0].delivery_id, units[1].delivery_id)
    assert not is_one_block(units[1].delivery_id, units[2].delivery_id)
    assert not is_one_block(units[0].delivery_id, units[0].pk)


def test_every_two_posts_are_at_least_the_wash_out_apart(roastery, bob_actor):
    slots = [{"weekday": weekday, "time": at} for weekday in range(7) for at in ("09:00", "17:00")]
    times = times_of(bob_actor, roastery, 10, slots=slots)
    assert min(b - a for a, b in pairwise(times)) >= timedelta(hours=24)


def test_the_hour_stays_on_the_clock_of_the_workspace(roastery, bob_actor):
    # The last Sunday of March is when Berlin's clocks go forward.
    times = times_of(bob_actor, roastery, slots=[{"weekday": 0, "time": "17:00"}], starts_on="2087-03-17")
    assert {at.astimezone(BERLIN).hour for at in times} == {17}
    assert len({at.hour for at in times}) == 2


def test_the_accounts_own_slots_serve_where_none_are_given(roastery, bob_actor):
    with pytest.raises(ValidationError, match="on which weekdays"):
        times_of(bob_actor, roastery, slots=[])
    Slot.objects.create(workspace=roastery.workspace, connection=roastery, weekday=3, time="08:30", time_zone="UTC")
    assert {at.strftime("%a %H:%M") for at in times_of(bob_actor, roastery, slots=[])} == {"Thu 08:30"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"connection": "nobody"}, "settings"),
        ({"connection": "01900000-0000-7000-8000-000000000000"}, "connection"),
        ({"connection": ""}, "connection"),
        ({"pairs": 5}, "pairs"),
        ({"gap_days": 1, "washout_h": 48}, "gap_days"),
        ({"slots": [{"weekday": 9, "time": "17:00"}]}, "slots"),
        ({"slots": [{"weekday": 1, "time": "late"}]}, "slots"),
        ({"slots": ["Monday"]}, "settings"),
        ({"slots": [{}]}, "slots"),
        ({"slots": [{"weekday": None, "time": 5}]}, "slots"),
        ({"age_h": 30}, "settings"),
        ({"pairs": 200}, "slots"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(roastery, bob_actor, given, field):
    with pytest.raises(ValidationError) as caught:
        run_pairs(bob_actor, roastery, settings=given)
    assert field in caught.value.message_dict
    assert not Unit.objects.exists()


def test_a_start_needs_the_right_to_plan_posts(roastery, bob_actor):
    from dataclasses import replace

    from accounts.access import Perm

    writer = replace(bob_actor, perms=frozenset({Perm.VIEW, Perm.CONTENT_EDIT}))
    with pytest.raises(PermissionDenied):
        services.start_experiment(draft_pairs(bob_actor, roastery), by=writer)


def test_several_contents_take_turns(roastery, bob_actor):
    texts = [["One.", "Two.", "Three."], ["One?", "Two?", "Three?"]]
    arms = [ArmDraft(name, {"texts": own}) for name, own in zip(("Plain", "Question"), texts, strict=True)]
    units = units_of(run_pairs(bob_actor, roastery, arms=arms))
    pairs = [
        {unit.delivery.post.parts.get().text[:-1] for unit in pair}
        for pair in zip(units[::2], units[1::2], strict=True)
    ]
    assert pairs == [{"One"}, {"Two"}, {"Three"}] * 2


def test_alike_wordings_can_be_submitted_together(roastery, bob_actor, in_workspace):
    from campaigns.deliveries import submit_post

    text = "Our new espresso from Huehuetenango tastes of orange, dark chocolate and a little honey"
    arms = (ArmDraft("Plain", {"text": f"{text}."}), ArmDraft("Question", {"text": f"{text}!"}))
    units = units_of(run_pairs(bob_actor, roastery, arms=arms))
    submit_post(units[0].delivery.post, by=bob_actor)
    submit_post(units[1].delivery.post, by=bob_actor)
    # The next pair says the same: that is a repeat like any other.
    with pytest.raises(ValidationError, match="same text"):
        submit_post(units[2].delivery.post, by=bob_actor)


def test_the_true_effect_of_the_wording_is_found(roastery, bob_actor):
    look = read_paper(*paper_pairs(bob_actor, roastery, TRUE, pairs=20))
    lift = look.result["arms"][1]["lift"]
    assert look.verdict == Verdict.BETTER
    assert look.sentence.startswith("“Question” does better than “Plain”: +")
    low, high = lift["raw_interval"]
    # Rates of 3.35 % and 4.52 %, as odds.
    assert low < 0.37 < high
    assert lift["p"] < 0.05
    assert 0 < lift["shrunk"] < lift["raw"]


def test_over_many_tests_the_interval_holds_the_truth(roastery, bob_actor):
    found = [read_paper(*paper_pairs(bob_actor, roastery, TRUE, seed=seed)).result for seed in range(1, 21)]
    intervals = [result["arms"][1]["lift"]["raw_interval"] for result in found]
    assert sum(low < 0.37 < high for low, high in intervals) >= 17


def test_two_wordings_that_do_the_same_end_without_a_difference(roastery, bob_actor):
    look = read_paper(*paper_pairs(bob_actor, roastery, NOTHING))
    assert look.verdict == Verdict.NO_DIFFERENCE
    low, high = look.result["arms"][1]["lift"]["raw_interval"]
    assert low < 0 < high


def test_before_the_last_pair_it_goes_on(roastery, bob_actor):
    experiment, data = paper_pairs(bob_actor, roastery, TRUE, data={"is_final": False, "to_come": 8})
    data["posts"] = data["posts"][:16]
    look = read_paper(experiment, data)
    assert (look.verdict, look.result["smallest_arm"]) == (Verdict.KEEP_GOING, 8)
    assert look.sentence.startswith("Keep going: 8 of 12 pairs so far.")


def test_a_stop_takes_what_was_not_sent_out_of_the_calendar(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    units = units_of(experiment)
    publish(units[:3], TRUE)
    services.stop_experiment(experiment, by=bob_actor)
    states = [Delivery.objects.get(pk=unit.delivery_id).state for unit in units]
    assert states == ["published"] * 3 + ["canceled"] * 9


def test_the_last_measured_post_ends_it(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    units = units_of(experiment)
    publish(units[:-1], TRUE)
    publish(units[-1:], TRUE, age_h=6)
    going_on = look_at(experiment)
    # Six hours are not twenty-four.
    assert (len(going_on.data["posts"]), going_on.data["waiting"]) == (11, [str(units[-1].pk)])
    assert going_on.verdict == Verdict.KEEP_GOING
    snapshot = Snapshot.objects.get(post__delivery=units[-1].delivery)
    snapshot.age_s, snapshot.at = 24 * 3600, snapshot.at + timedelta(hours=18)
    snapshot.save()
    look = look_at(experiment)
    experiment.refresh_from_db()
    assert (look.data["is_final"], len(look.result["pairs"])) == (True, 6)
    assert experiment.status == Status.STOPPED


def test_what_cannot_count_is_excluded_with_its_reason(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    units = units_of(experiment)
    publish(units[4:], TRUE)
    # A count that is missing is left out, and is not zero.
    known = Snapshot.objects.get(post__delivery=units[4].delivery)
    known.metrics.pop("bookmarks")
    known.save()
    canceled, missed, gone, unread = units[:4]
    Delivery.objects.filter(pk=canceled.delivery_id).update(state=Delivery.State.CANCELED)
    Delivery.objects.filter(pk=missed.delivery_id).update(state=Delivery.State.MISSED)
    gone.delivery.post.delete()
    publish([unread], TRUE)
    snapshots = Snapshot.objects.filter(post__delivery=unread.delivery)
    snapshots.update(metrics={"likes": 3}, missing={"impressions": "needs_session"})
    look = look_at(experiment)
    assert [row["reason"] for row in look.data["excluded"]] == [
        "Its post was canceled.",
        "Its post missed its time.",
        "Its post was deleted.",
        "Its engagement rate cannot be had (needs_session).",
    ]
    assert len(look.result["pairs"]) == 4
    assert look.data["posts"][0]["events"] == events_without(units[4], "bookmarks")
    services.exclude_unit(units[5], by=bob_actor, reason="A storm was on the news.")
    assert len(look_at(experiment).result["pairs"]) == 3
    with pytest.raises(ValidationError, match="why"):
        services.exclude_unit(units[6], by=bob_actor, reason=" ")


def events_without(unit: Unit, name: str) -> int:
    counts = Snapshot.objects.get(post__delivery=unit.delivery).metrics
    return sum(counts[other] for other in MORE if other != name)


def test_a_post_is_forecast_from_others_than_those_of_the_test(roastery, bob_actor):
    experiment = run_pairs(bob_actor, roastery)
    for number in range(40):
        measured(roastery, experiment.started_at - timedelta(hours=6 + 7 * number), f"Beans number {number}.", NOTHING)
    publish(units_of(experiment), TRUE)
    look = look_at(experiment)
    baselines = [post["baseline"] for post in look.data["posts"]]
    assert all(-5 < baseline < -1 for baseline in baselines)
    assert MeasuredPost.objects.count() == 52


def test_a_telegram_channel_is_read_after_three_days_and_rests_as_long(in_workspace, bob_actor):
    channel = Connection.objects.create(
        workspace=in_workspace, network="telegram", remote_id="-100", handle="beans", name="Beans"
    )
    with pytest.raises(ValidationError, match="72 hours"):
        times_of(bob_actor, channel, gap_days=2)
    times = times_of(bob_actor, channel, slots=[{"weekday": weekday, "time": "17:00"} for weekday in range(7)])
    assert min(b - a for a, b in pairwise(times)) >= timedelta(hours=72)
    assert age_of(draft_pairs(bob_actor, channel), channel.network) == 72


def test_the_standard_error_never_falls_below_that_of_the_counts():
    from experiments.paired_posts import standard_error

    same = [{"difference": 0.1, "variance": 0.04}] * 4
    assert standard_error(same) == pytest.approx(math.sqrt(0.04 / 4))
    wide = [{"difference": value, "variance": 1e-6} for value in (-1, 1, -1, 1)]
    assert standard_error(wide) == pytest.approx(math.sqrt(4 / 3 / 4))


def test_the_plan_begins_after_the_products_own_clock(roastery, bob_actor):
    with shifted(timedelta(days=30)):
        assert min(times_of(bob_actor, roastery)) > now()
