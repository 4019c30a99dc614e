from datetime import timedelta

import pytest

from accounts.models import Notification
from campaigns.models import Delivery
from lib.clock import now
from social.models import Connection, NetworkState

State = Delivery.State
CREATE = "POST /2/tweets"
# Texts that nobody takes for one another.
WORDS = [
    "Fresh beans",
    "Open until six",
    "New mugs in blue",
    "We ship to Norway",
    "Closed on Monday",
    "Tasting at noon",
]


@pytest.fixture(autouse=True)
def quick_breakers(settings) -> None:
    settings.BREAKER_CONNECTION, settings.BREAKER_NETWORK, settings.BREAKER_OPEN_S = 2, 3, 30
    settings.RETRY_BASE_S, settings.RETRY_LIMIT = 0, 9


@pytest.fixture
def account(in_workspace, connection):
    return lambda: Connection.objects.get(pk=connection.pk)


@pytest.fixture
def network():
    return lambda: NetworkState.objects.get(network="x")


@pytest.fixture
def fail(due, tick, sandbox):
    """So many posts in a row get no answer."""

    def run(times: int, **order) -> None:
        sandbox.fault("drop_before_accept", route=CREATE, count=times, **order)
        for _ in range(times):
            due(WORDS[Delivery.objects.count()])
            tick()

    return run


# --- one account ------------------------------------------------------------------------------------------------


def test_one_failure_opens_nothing(fail, account):
    fail(1)
    assert (account().failures_in_row, account().broken_until) == (1, None)


def test_failures_in_a_row_open_the_breaker_of_the_account(fail, account, due, tick, live):
    fail(2)
    due("Behind the breaker")
    assert account().broken_until > now() + timedelta(seconds=25)
    assert tick().publish == []
    assert live() == []


def test_people_are_told_once(fail, due, tick, sandbox, alice):
    fail(2)
    sandbox.fault("drop_before_accept", route=CREATE)
    due("Once more")
    tick(31)
    found = Notification.objects.filter(user=alice, kind="connection", text__contains="failed 2 times in a row")
    assert [note.is_alert for note in found] == [True]


def test_each_further_failure_waits_longer(fail, due, tick, sandbox, account):
    fail(2)
    sandbox.fault("drop_before_accept", route=CREATE)
    due("Once more")
    tick(31)
    assert account().failures_in_row == 3
    assert account().broken_until > now() + timedelta(seconds=31 + 55)


def test_the_wait_has_an_end(account, connection):
    from campaigns.engine import health
    from social.networks.port import Failure, NetworkError

    Connection.objects.update(failures_in_row=60)
    health.note_failure(connection, Failure.TEMPORARY, NetworkError(Failure.TEMPORARY, "away", "Away."))
    assert account().broken_until < now() + timedelta(minutes=16)


def test_a_success_closes_it(fail, due, tick, account, live):
    fail(2)
    due("Through at last")
    tick(31)
    assert live() == ["Through at last"]
    assert (account().failures_in_row, account().broken_until) == (0, None)


@pytest.mark.parametrize("kind", ["rate_limit", "not_summoned", "credits_depleted", "duplicate"])
def test_what_is_wrong_with_the_post_or_its_account_opens_nothing(due, tick, sandbox, account, kind):
    due("Refused for a reason")
    sandbox.fault(kind, route=CREATE)
    tick()
    assert account().failures_in_row == 0


def test_look_ups_go_on_behind_the_breaker(fail, tick, account):
    fail(2)
    assert len(tick(40).look_up) == 2


# --- the network ------------------------------------------------------------------------------------------------


@pytest.fixture
def others(connected, settings):
    """Accounts beside the first."""
    settings.BREAKER_CONNECTION = 99
    return [connected(handle) for handle in ("bakery", "brewery")]


@pytest.fixture
def broken(fail, others):
    fail(3)
    return others


def test_failures_everywhere_stop_everybody(broken, network, due, tick):
    due("From another account", to=broken[0])
    assert network().failures_in_row == 3
    assert tick().publish == []


def test_after_a_while_one_post_is_tried_first(broken, due, tick, live):
    for number, account in enumerate(broken):
        due(WORDS[-number - 1], to=account)
    assert len(tick(31).publish) == 1


def test_nobody_follows_while_the_one_is_on_its_way(broken, due):
    from campaigns.engine import dispatch

    for number, account in enumerate(broken):
        due(WORDS[-number - 1], to=account)
    later = now() + timedelta(seconds=31)
    assert [len(dispatch.tick(later).publish), len(dispatch.tick(later).publish)] == [1, 0]


def test_nobody_of_another_app_follows_either(broken, due):
    from campaigns.engine import dispatch

    Connection.objects.filter(pk=broken[1].pk).update(app_key="their own app")
    for number, account in enumerate(broken):
        due(WORDS[-number - 1], to=account)
    later = now() + timedelta(seconds=31)
    assert [len(dispatch.tick(later).publish), len(dispatch.tick(later).publish)] == [1, 0]


def test_its_success_lets_everybody_through(broken, due, tick, network):
    for number, account in enumerate(broken):
        due(WORDS[-number - 1], to=account)
    tick(31)
    assert (network().failures_in_row, network().broken_until) == (0, None)
    assert len(tick(32).publish) == 2


def test_its_failure_keeps_everybody_back(broken, due, tick, sandbox):
    for number, account in enumerate(broken):
        due(WORDS[-number - 1], to=account)
    sandbox.fault("drop_before_accept", route=CREATE)
    tick(31)
    assert tick(35).publish == []
    assert len(tick(62).publish) == 1


def test_one_account_that_gets_through_keeps_the_network_open(fail, others, due, tick, network):
    fail(2)
    due("Fine here", to=others[0])
    tick()
    fail(1)
    assert network().failures_in_row == 1


def test_telegram_is_not_held_up_by_x(broken, channel, due, tick, telegram):
    due("Another network", to=channel)
    tick()
    assert telegram.texts() == ["Another network"]
