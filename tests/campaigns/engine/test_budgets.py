from datetime import timedelta

import pytest

from accounts import usage
from accounts.models import Notification, UsageEntry, Workspace
from campaigns.deliveries import confirm_live, send_again
from campaigns.models import Campaign, Delivery
from campaigns.services import MediaDraft, PartDraft, create_campaign, set_campaign_status
from lib import clock
from social.models import Connection
from social.services import set_paused

State, Status = Delivery.State, UsageEntry.Status
CREATE = "POST /2/tweets"
POST, WITH_LINK = 15_000, 200_000
AFTER_QUIET = 40


@pytest.fixture
def money(in_workspace):
    """Spent and held back this month."""
    return lambda: usage.spent(in_workspace, usage.month_budget(in_workspace).scope)


@pytest.fixture
def posted(in_workspace):
    """The entries of the calls that make something live."""
    return lambda: list(UsageEntry.objects.filter(kind="x.post").values_list("amount_micro", "status"))


@pytest.fixture
def cap(in_workspace):
    def change(micro):
        Workspace.objects.filter(pk=in_workspace.pk).update(monthly_cap_micro=micro)

    return change


@pytest.fixture
def campaign(alice_actor, in_workspace):
    made = create_campaign(by=alice_actor, name="Spring")
    set_campaign_status(made, "running", by=alice_actor)
    return made


@pytest.fixture
def billed(sandbox):
    """What X has charged the app of the sandbox."""
    return lambda: sandbox.get("/apps")["apps"][0]["spent_micro"]


@pytest.mark.parametrize(("text", "price"), [("Plain words", POST), ("See https://example.com/beans", WITH_LINK)])
def test_a_post_costs_what_x_charges_for_it(due, tick, posted, money, billed, text, price):
    before = billed()
    due(text)
    tick()
    assert posted() == [(price, Status.SETTLED)]
    assert money() == (price, 0)
    assert billed() - before == price


def test_nothing_is_held_back_before_the_call(due, tick, posted, connection):
    due("Later")
    assert posted() == []


def test_the_entry_names_delivery_connection_and_campaign(due, tick, campaign, connection):
    delivery = due("Accounted for", campaign=campaign)
    tick()
    entry = UsageEntry.objects.get(kind="x.post")
    assert (entry.object_id, entry.connection_id, entry.campaign_id) == (delivery.pk, connection.pk, campaign.pk)


def test_each_part_of_a_thread_is_paid_once(due, tick, posted):
    due("One", "Two https://example.com", "Three")
    tick()
    assert sorted(posted()) == [(POST, Status.SETTLED), (POST, Status.SETTLED), (WITH_LINK, Status.SETTLED)]


@pytest.mark.parametrize("kind", ["rate_limit", "token_expired", "client_not_enrolled"])
def test_a_refusal_gives_the_money_back(due, tick, sandbox, posted, money, kind):
    due("Refused for now")
    sandbox.fault(kind, route=CREATE)
    tick()
    assert posted() == [(0, Status.RELEASED)]
    assert money() == (0, 0)


def test_a_retry_after_a_refusal_is_paid_once(due, tick, sandbox, posted, reload):
    delivery = due("Second try")
    sandbox.fault("token_expired", route=CREATE)
    tick()
    tick(60)
    assert reload(delivery).state == State.PUBLISHED
    assert posted() == [(POST, Status.SETTLED)]


def test_without_an_answer_the_money_stays_held_back(due, tick, sandbox, posted, money):
    due("Who knows")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    assert posted() == [(POST, Status.RESERVED)]
    assert money() == (0, POST)


def test_what_is_found_live_is_settled(due, tick, sandbox, posted, money):
    due("It did go out")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    tick(AFTER_QUIET)
    assert posted() == [(POST, Status.SETTLED)]
    assert money()[1] == 0


def test_what_is_not_live_is_given_back(due, tick, sandbox, posted, money):
    due("It did not go out")
    sandbox.fault("drop_before_accept", route=CREATE)
    tick()
    tick(AFTER_QUIET)
    assert posted() == [(0, Status.RELEASED)]
    assert money()[1] == 0


def test_a_duplicate_refusal_keeps_it_held_back_until_somebody_has_looked(due, tick, sandbox, posted):
    due("Twice?")
    sandbox.fault("duplicate", route=CREATE)
    tick()
    assert posted() == [(POST, Status.RESERVED)]
    tick(AFTER_QUIET)
    assert posted() == [(0, Status.RELEASED)]


def test_a_person_who_saw_it_live_settles(due, tick, sandbox, posted, alice_actor):
    delivery = due("I see it")
    sandbox.fault("accept_then_drop", route=CREATE)
    tick()
    confirm_live(delivery, sandbox.posts("roastery")[0]["id"], by=alice_actor)
    assert posted() == [(POST, Status.SETTLED)]


def test_a_person_who_does_not_see_it_gives_back(due, tick, sandbox, posted, alice_actor, settings):
    delivery = due("I do not see it")
    sandbox.fault("drop_before_accept", route=CREATE)
    tick()
    with clock.shifted(timedelta(minutes=5)):
        send_again(delivery, by=alice_actor)
    assert posted() == [(0, Status.RELEASED)]


def test_the_answer_of_a_worker_that_lost_its_claim_frees_no_money_of_the_next(due, claim, posted, reload):
    from campaigns.engine import outcome
    from campaigns.engine.job import begin_submission, start_job
    from social.networks.port import Failure, NetworkError

    delivery = due("Two workers")
    lost = start_job(*claim())
    begin_submission(lost, 0)
    Delivery.objects.filter(pk=delivery.pk).update(fence=lost.fence + 1)
    outcome.record_failure(lost, NetworkError(Failure.REJECTED, "forbidden", "No."))
    assert posted() == [(POST, Status.RESERVED)]


# --- caps -------------------------------------------------------------------------------------------------------


def test_a_post_that_the_monthly_cap_has_no_money_for_is_not_sent(due, tick, cap, live, reload, posted):
    delivery = due("Too dear")
    cap(POST - 1)
    tick()
    assert (live(), posted()) == ([], [])
    assert (reload(delivery).state, reload(delivery).problem_code) == (State.RETRY_WAIT, "budget")


def test_the_monthly_cap_pauses_the_connection_and_says_so(due, tick, cap, connection, alice):
    due("Too dear")
    cap(10_000)
    tick()
    account = Connection.objects.get(pk=connection.pk)
    assert (account.status, account.status_text) == (
        Connection.Status.PAUSED,
        "The monthly cap of $0.01 has no $0.015 left.",
    )
    alert = Notification.objects.get(user=alice, kind="connection")
    assert (alert.is_alert, "is paused: The monthly cap" in alert.text) == (True, True)


def test_a_higher_cap_and_resuming_let_it_go_out(due, tick, cap, connection, live, alice_actor):
    due("Worth it after all")
    cap(0)
    tick()
    cap(1_000_000)
    assert set_paused(connection, False, by=alice_actor)
    tick(5)
    assert live() == ["Worth it after all"]


def test_a_paused_account_is_not_tried_again(due, tick, cap, reload):
    delivery = due("Too dear")
    cap(0)
    tick()
    assert tick(60).publish == []
    assert reload(delivery).attempts.count() == 1


def test_the_last_of_the_money_is_spent_once(due, tick, cap, live):
    due("First")
    due("Second")
    cap(POST)
    tick()
    tick(5)
    assert live() == ["First"]


def test_a_thread_stops_where_the_money_ends_and_goes_on_from_there(
    due, tick, cap, live, connection, alice_actor, reload
):
    delivery = due("One", "Two", "Three")
    cap(2 * POST)
    tick()
    assert (live(), reload(delivery).state) == (["One", "Two"], State.RETRY_WAIT)
    cap(None)
    set_paused(connection, False, by=alice_actor)
    tick(5)
    assert live() == ["One", "Two", "Three"]


def test_the_budget_of_a_campaign_pauses_the_campaign_only(due, tick, campaign, connection, live, alice):
    Campaign.objects.filter(pk=campaign.pk).update(cap_micro=POST)
    due("Within", campaign=campaign)
    due("Beyond", campaign=campaign)
    tick()
    tick(5)
    assert live() == ["Within"]
    assert Campaign.objects.get(pk=campaign.pk).status == Campaign.Status.PAUSED
    assert Connection.objects.get(pk=connection.pk).status == Connection.Status.ACTIVE
    assert Notification.objects.filter(user=alice, kind="budget", text__contains="“Spring” is paused").count() == 1


def test_posts_outside_a_paused_campaign_go_on(due, tick, campaign, live):
    Campaign.objects.filter(pk=campaign.pk).update(cap_micro=0)
    due("Beyond", campaign=campaign)
    tick()
    due("Outside")
    tick(5)
    assert live() == ["Outside"]


def test_a_bigger_budget_and_resuming_the_campaign_let_it_go_out(due, tick, campaign, live, alice_actor):
    Campaign.objects.filter(pk=campaign.pk).update(cap_micro=0)
    due("Now there is money", campaign=campaign)
    tick()
    Campaign.objects.filter(pk=campaign.pk).update(cap_micro=POST)
    set_campaign_status(campaign, "running", by=alice_actor)
    tick(5)
    assert live() == ["Now there is money"]


def test_a_thread_whose_campaign_ran_out_of_money_waits_for_it(due, tick, campaign, live, reload):
    Campaign.objects.filter(pk=campaign.pk).update(cap_micro=POST)
    delivery = due("One", "Two", campaign=campaign)
    tick()
    assert live() == ["One"]
    assert tick(5).publish == []
    assert reload(delivery).attempts.count() == 1


# --- reads and descriptions -------------------------------------------------------------------------------------


def test_posts_that_a_look_up_reads_are_billed_once_a_day(due, tick, sandbox, billed, money):
    connecting = billed()
    due("Already there")
    tick()
    for text in ("First unclear", "Second unclear"):
        due(text)
        sandbox.fault("drop_before_accept", route=CREATE)
        tick(2)
        tick(AFTER_QUIET + 2)
    reads = UsageEntry.objects.filter(kind="x.post_read").values_list("amount_micro", flat=True)
    # The second look-up reads the same post again, and the first unclear one where its next try came before.
    assert set(reads) == {5_000}
    assert len(reads) <= 2
    assert money()[0] == billed() - connecting


def test_a_description_is_billed_once_however_often_the_post_is_tried(due, tick, sandbox, picture, billed, money):
    connecting = billed()
    due(PartDraft("Look", (MediaDraft(picture().pk, "A plum"),)))
    sandbox.fault("token_expired", route=CREATE)
    tick()
    tick(60)
    assert UsageEntry.objects.filter(kind="x.media_metadata", amount_micro=5_000).count() == 1
    assert money()[0] == billed() - connecting


def test_a_refused_description_costs_nothing(due, tick, sandbox, picture):
    due(PartDraft("Look", (MediaDraft(picture().pk, "A plum"),)))
    sandbox.fault("rate_limit", route="POST /2/media/metadata")
    tick()
    assert not UsageEntry.objects.filter(kind="x.media_metadata").exists()
