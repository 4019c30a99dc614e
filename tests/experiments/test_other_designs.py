"""Crossovers, style programmes, optimisers, observations and subscribers."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from analytics.models import Event
from analytics.tracking.ingest import EventRow, add_events
from campaigns.deliveries import schedule_delivery
from campaigns.errors import NotAllowedNow
from campaigns.models import Delivery
from compliance.models import Contact
from experiments import services
from experiments.designs import optimiser, programme, subscribers
from experiments.looks import look_at
from experiments.models import Experiment, Look, Unit
from experiments.services import ArmDraft
from lib.clock import now
from sandbox.audience import Taste
from tests.campaigns.cast import add_connection, add_post
from tests.experiments.cast import WORDINGS, create, make_link, measured, on_paper, paper_post, publish, read_paper

pytestmark = pytest.mark.django_db
Verdict = Look.Verdict
MORE = dict.fromkeys(("likes", "replies", "reposts", "quotes", "bookmarks"), 1.6)
TRUE = Taste({"question": MORE}, has_builtin=False, swing=0, rate_noise=0.1)
STYLES = (ArmDraft("Plain", {"style": "Say it."}), ArmDraft("Question", {"style": "Ask it."}))


def started(by, **fields) -> Experiment:
    values = {"name": "Test", "hypothesis": "It works.", "metric": "engagement_rate", "horizon_days": 90}
    return services.start_experiment(create(by, **values | fields), by=by)


def units_of(experiment: Experiment) -> list[Unit]:
    return list(Unit.objects.filter(experiment=experiment).select_related("arm", "delivery__connection"))


# --- crossover --------------------------------------------------------------------------------------------


@pytest.fixture
def channels(in_workspace):
    return [add_connection(in_workspace, handle) for handle in ("roastery", "cafe")]


def crossover(by, channels, **settings) -> Experiment:
    slots = [{"weekday": 1, "time": "17:00"}]
    values = {"connections": [str(channel.pk) for channel in channels], "periods": 8, "slots": slots}
    return started(by, design="D", arms=WORDINGS, settings=values | settings)


def test_a_crossover_finds_the_wording_and_not_the_channel(channels, bob_actor):
    experiment = crossover(bob_actor, channels, periods=6)
    units = units_of(experiment)
    assert len(units) == 12
    for first, second in zip(units[::2], units[1::2], strict=True):
        assert first.block == second.block == str(first.delivery.connection_id)
        assert {first.arm.key, second.arm.key} == {"a", "b"}
        assert second.planned_at - first.planned_at in {timedelta(days=7, hours=hour) for hour in (-1, 0, 1)}
    for channel, followers in zip(channels, (50_000, 5_000), strict=True):
        publish([unit for unit in units if unit.delivery.connection == channel], TRUE, followers=followers)
    look = look_at(experiment)
    assert (look.verdict, look.result["smallest_arm"]) == (Verdict.BETTER, 6)
    low, high = look.result["arms"][1]["lift"]["raw_interval"]
    assert low < 0.65 < high


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"connections": []}, "connections"),
        ({"periods": 5}, "periods"),
        ({"period_days": 1, "washout_h": 48}, "period_days"),
    ],
)
def test_a_crossover_that_cannot_be_is_refused(channels, bob_actor, given, field):
    with pytest.raises(ValidationError) as caught:
        crossover(bob_actor, channels, **given)
    assert field in caught.value.message_dict


# --- style programme --------------------------------------------------------------------------------------


def planned(by, connection, at: datetime, text: str = "Beans.") -> Delivery:
    return schedule_delivery(Delivery.objects.get(post=add_post(by, connection, text=text)), at, by=by)


def test_styles_are_balanced_within_each_stratum(roastery, bob_actor):
    experiment = started(bob_actor, design="E", arms=STYLES)
    for stratum in ("hour 06, week, text", "hour 18, weekend, media"):
        arms = [programme.drawn_arm(experiment, stratum, position).key for position in range(40)]
        for count in range(41):
            assert abs(arms[:count].count("a") - arms[:count].count("b")) <= 1
        assert arms[::2].count("a") not in {0, 20}


def test_a_post_enters_once_and_only_while_it_is_a_planned_draft(roastery, bob_actor):
    experiment = started(bob_actor, design="E", arms=STYLES)
    delivery = planned(bob_actor, roastery, now() + timedelta(days=1))
    programme.enter(experiment, delivery, by=bob_actor)
    with pytest.raises(NotAllowedNow, match="already"):
        programme.enter(experiment, delivery, by=bob_actor)
    free = Delivery.objects.get(post=add_post(bob_actor, roastery))
    with pytest.raises(NotAllowedNow, match="planned time"):
        programme.enter(experiment, free, by=bob_actor)
    services.stop_experiment(experiment, by=bob_actor)
    other = planned(bob_actor, roastery, now() + timedelta(days=2))
    with pytest.raises(NotAllowedNow, match="does not run"):
        programme.enter(experiment, other, by=bob_actor)


def test_a_programme_finds_the_better_style(roastery, bob_actor):
    draft = create(
        bob_actor,
        name="Style",
        hypothesis="Ask.",
        metric="engagement_rate",
        design="E",
        arms=STYLES,
        settings={"posts": 24},
    )
    texts = {"a": "Fresh beans.", "b": "Fresh beans?"}
    posts = []
    for stratum in ("week", "weekend"):
        for position in range(12):
            arm = programme.drawn_arm(draft, stratum, position).key
            post = paper_post(texts[arm], arm, f"{stratum} {position // 2}", position, TRUE)
            posts.append(post | {"block": stratum})
    look = read_paper(*on_paper(draft, posts))
    assert look.verdict == Verdict.BETTER
    assert look.result["method"] == "stratified permutation test"
    assert look.result["leader"] == "b"
    low, high = look.result["arms"][1]["lift"]["raw_interval"]
    assert low < 0.65 < high


@pytest.mark.parametrize("given", [{"posts": 9}, {"strata": ["weather"]}])
def test_a_programme_that_cannot_be_is_refused(roastery, bob_actor, given):
    with pytest.raises(ValidationError):
        started(bob_actor, design="E", arms=STYLES, settings=given)


# --- optimiser --------------------------------------------------------------------------------------------


def test_the_next_time_is_suggested_outside_the_quiet_hours(roastery, bob_actor):
    quiet = [*range(8), 22, 23]
    experiment = started(
        bob_actor, design="F", arms=[], settings={"connection": str(roastery.pk), "quiet_hours": quiet}
    )
    for number in range(12):
        measured(roastery, now() - timedelta(hours=40 + 11 * number), "Fresh beans.", TRUE)
    look = look_at(experiment)
    slot = optimiser.suggestion(experiment, look.data)
    assert slot["hour"] not in quiet
    assert slot == optimiser.suggestion(experiment, look.data)
    at = optimiser.next_time(experiment, slot)
    assert now() < at <= now() + timedelta(days=8)
    assert look.result["best"]["hour"] not in quiet
    assert "12 posts are measured" in look.result["sentence"]


def test_a_strong_hour_is_found_among_many_posts(roastery, bob_actor):
    experiment = started(bob_actor, design="F", arms=[], settings={"connection": str(roastery.pk)})
    strong = Taste(has_builtin=False, swing=0, peak=17, rate_swing=0.8, noise=0.05)
    for number in range(90):
        measured(roastery, datetime(2026, 2, 1, 12, tzinfo=UTC) + timedelta(hours=5 * number), "Fresh beans.", strong)
    look = look_at(experiment)
    # 17 in UTC is 18 in Berlin in February.
    assert abs(look.result["best"]["hour"] - 18) <= 3
    assert look.result["lead"] > 0
    assert look.refusals == []


# --- observation ------------------------------------------------------------------------------------------


def test_before_and_after_are_shown_without_a_winner(roastery, bob_actor):
    changed = now() - timedelta(days=10)
    for number in range(6):
        measured(roastery, changed - timedelta(days=1 + number), "Fresh beans.", TRUE)
        measured(roastery, changed + timedelta(days=1 + number), "Fresh beans?", TRUE)
    settings = {"connection": str(roastery.pk), "changed_at": changed.isoformat()}
    look = look_at(started(bob_actor, design="G", arms=[], settings=settings))
    assert (look.result["before"]["posts"], look.result["after"]["posts"]) == (6, 6)
    assert look.result["change"] > 0.2
    assert "is_significant" not in str(look.result)
    assert look.verdict == Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    "changed_at", ["", "yesterday", "2026-11-01T10:00:00", "0001-01-01T00:00:00+00:00", "9999-12-31T00:00:00+00:00"]
)
def test_an_observation_needs_its_moment(roastery, bob_actor, changed_at):
    with pytest.raises(ValidationError, match="changed_at"):
        started(bob_actor, design="G", arms=[], settings={"connection": str(roastery.pk), "changed_at": changed_at})


# --- subscribers ------------------------------------------------------------------------------------------


@pytest.fixture
def contacts(in_workspace):
    rows = [Contact(workspace=in_workspace, name=f"Contact {number}") for number in range(40)]
    rows += [Contact(workspace=in_workspace, name="Restricted", restricted_at=now())]
    rows += [Contact(workspace=in_workspace, name="Objects", has_gpc=True)]
    return Contact.objects.bulk_create(rows)


def subscriber_test(by, people, **settings) -> Experiment:
    values = {"contacts": [str(contact.pk) for contact in people]} | settings
    return create(
        by, name="Hello", hypothesis="Questions.", design="B", metric="clicks", arms=WORDINGS, settings=values
    )


def test_sending_to_subscribers_is_refused_with_the_reason(contacts, bob_actor):
    with pytest.raises(NotAllowedNow, match="exactly once"):
        services.start_experiment(subscriber_test(bob_actor, contacts), by=bob_actor)


def test_subscribers_who_may_be_written_to_are_drawn(contacts, bob_actor):
    experiment = subscriber_test(bob_actor, contacts)
    subscribers.plan(experiment, bob_actor)
    units = units_of(experiment)
    assert len(units) == 40
    assert {unit.propensity for unit in units} == {0.5}
    assert 3 < sum(unit.arm.key == "a" for unit in units) < 37


def test_clicks_are_counted_by_the_link_of_the_wording(contacts, bob_actor):
    links = {key: make_link(bob_actor) for key in "ab"}
    experiment = subscriber_test(bob_actor, contacts, arm_links={key: str(link.pk) for key, link in links.items()})
    subscribers.plan(experiment, bob_actor)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=now() - timedelta(days=1))
    experiment.refresh_from_db()
    Unit.objects.filter(experiment=experiment).update(state="live")
    clicks = [("a", "1"), ("b", "2"), ("b", "3"), ("b", "3")]
    rows = [EventRow("click", now(), link_id=links[arm].pk, visitor=person * 32) for arm, person in clicks]
    rows.append(EventRow("click", now(), link_id=links["a"].pk, visitor="4" * 32, is_bot=True))
    add_events(experiment.workspace_id, rows)
    assert Event.objects.count() == 5
    arms = {arm["key"]: arm["hits"] for arm in look_at(experiment).result["arms"]}
    assert arms == {"a": 1, "b": 2}


def test_too_few_subscribers_are_refused(contacts, bob_actor):
    with pytest.raises(ValidationError, match="more subscribers"):
        subscribers.plan(subscriber_test(bob_actor, contacts[:3]), bob_actor)
    with pytest.raises(ValidationError, match="at most 10,000 ids"):
        subscribers.plan(subscriber_test(bob_actor, [], contacts=["nobody"]), bob_actor)
