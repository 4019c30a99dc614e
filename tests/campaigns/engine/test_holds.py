import pytest

from accounts.models import Switch, Workspace
from accounts.stops import release_workspace, stop_workspace
from campaigns.engine import publish as engine
from campaigns.engine.job import begin_submission, start_job
from campaigns.engine.publish import NotNow, publish_delivery
from campaigns.models import Campaign, Delivery
from campaigns.services import create_campaign, set_campaign_status
from social.models import Connection

State = Delivery.State
CREATE = "POST /2/tweets"
AFTER_QUIET = 40


@pytest.fixture
def campaign(alice_actor, in_workspace):
    made = create_campaign(by=alice_actor, name="Spring")
    set_campaign_status(made, "running", by=alice_actor)
    return made


def stop(level: str, is_on: bool = True) -> None:
    if level == "instance":
        Switch.objects.update_or_create(name=Switch.PUBLISHING, defaults={"is_on": is_on})
    if level == "workspace":
        Workspace.objects.update(is_stopped=is_on)
    if level == "suspension":
        Workspace.objects.update(is_suspended=is_on)
    if level == "connection":
        Connection.objects.update(status=Connection.Status.PAUSED if is_on else Connection.Status.ACTIVE)
    if level == "campaign":
        Campaign.objects.update(status=Campaign.Status.PAUSED if is_on else Campaign.Status.RUNNING)


STOPS = ["instance", "workspace", "suspension", "connection"]
LEVELS = [*STOPS, "campaign"]


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_due_is_not_claimed(due, tick, campaign, live, level):
    due("Held", campaign=campaign)
    stop(level)
    assert tick().publish == []
    assert live() == []


@pytest.mark.parametrize("level", LEVELS)
def test_afterwards_it_goes_out(due, tick, campaign, live, level):
    due("Held", campaign=campaign)
    stop(level)
    tick()
    stop(level, is_on=False)
    tick(5)
    assert live() == ["Held"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_claim_that_is_already_made_sends_nothing_more(due, claim, campaign, live, reload, level):
    delivery = due("Held", campaign=campaign)
    claimed = claim()
    stop(level)
    publish_delivery(*claimed)
    assert live() == []
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, "held")


@pytest.mark.parametrize("level", LEVELS)
def test_the_moment_before_the_call_counts(due, claim, campaign, level):
    due("Held", campaign=campaign)
    job = start_job(*claim())
    stop(level)
    with pytest.raises(NotNow, match="on hold"):
        begin_submission(job, 0)


@pytest.fixture
def half_way(due, claim, campaign):
    """The first of two parts is live, and a worker has the rest in its hands."""
    due("One", "Two", campaign=campaign)
    job = start_job(*claim())
    begin_submission(job, 0)
    client = engine.open_client(job.connection)
    engine._record(job, client, 0, client.publish(engine.OutgoingPart("One")))
    return job


@pytest.mark.parametrize("level", STOPS)
def test_a_stop_stops_a_thread_between_two_parts(half_way, level):
    stop(level)
    with pytest.raises(NotNow):
        begin_submission(half_way, 1)


def test_a_pause_of_the_campaign_lets_a_thread_finish(half_way):
    stop("campaign")
    begin_submission(half_way, 1)
    assert half_way.submitting_part == 1


def test_a_pause_lets_a_thread_finish_that_rests_between_its_parts(channel, due, tick, campaign, telegram, reload):
    delivery = due("One", "Two", to=channel, campaign=campaign)
    tick()
    stop("campaign")
    tick(3)
    assert telegram.texts() == ["One", "Two"]
    assert reload(delivery).state == State.PUBLISHED


@pytest.mark.parametrize("level", STOPS)
def test_a_stop_holds_a_thread_that_rests_between_its_parts(channel, due, tick, campaign, telegram, level):
    due("One", "Two", to=channel, campaign=campaign)
    tick()
    stop(level)
    tick(3)
    assert telegram.texts() == ["One"]


@pytest.mark.parametrize("level", ["instance", "workspace", "suspension", "campaign"])
def test_finding_out_what_is_live_goes_on(due, tick, campaign, sandbox, reload, level):
    delivery = due("Is it there?", campaign=campaign)
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    stop(level)
    tick(AFTER_QUIET)
    assert reload(delivery).state == State.PUBLISHED


@pytest.mark.parametrize("level", ["instance", "workspace"])
def test_what_is_found_missing_waits_for_the_release(due, tick, campaign, sandbox, live, reload, level):
    delivery = due("Is it there?", campaign=campaign)
    sandbox.fault("drop_before_accept", route=CREATE)
    tick()
    stop(level)
    for later in (AFTER_QUIET, 200):
        tick(later)
    assert (live(), reload(delivery).state) == ([], State.RETRY_WAIT)


def test_the_button_that_stops_everything_stops_the_engine(due, tick, live, alice_actor):
    due("Held")
    stop_workspace("Wrong price", by=alice_actor)
    tick()
    assert live() == []
    release_workspace(by=alice_actor)
    tick(1)
    assert live() == ["Held"]


def test_a_switch_that_is_off_stops_nothing(due, tick, live):
    Switch.objects.create(name=Switch.PUBLISHING, is_on=False)
    due("Goes out")
    tick()
    assert live() == ["Goes out"]


def test_a_hold_costs_neither_money_nor_a_retry(due, claim, reload):
    from accounts.models import UsageEntry

    delivery = due("Held")
    claimed = claim()
    stop("workspace")
    publish_delivery(*claimed)
    assert not UsageEntry.objects.filter(kind="x.post").exists()
    assert reload(delivery).failures == 0
