"""Followers and members, once a day for each account."""

import pytest

from accounts.models import UsageEntry, Workspace
from accounts.usage import month_scope, spent
from analytics.ages import DAY, HOUR
from analytics.collection.followers import read_followers
from analytics.models import FollowerCount
from lib.clock import now
from social.models import Connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]
ME = "GET /2/users/me"


def asked(sandbox) -> int:
    return sum(entry["path"].startswith("/2/users/me") for entry in sandbox.ledger())


def counts() -> list[int]:
    return list(FollowerCount.objects.order_by("day").values_list("count", flat=True))


def test_what_the_daily_check_has_read_is_not_asked_again(connection, sandbox):
    before = asked(sandbox)
    assert read_followers() == 1
    assert counts() == [connection.followers]
    assert asked(sandbox) == before


def test_each_day_has_one_count_and_they_grow(connection, travel, sandbox):
    sandbox.post("/accounts", handle="roastery", followers=50_000)
    for day in range(3):
        with travel.at(day * DAY):
            assert read_followers() == 1
        with travel.at(day * DAY + HOUR):
            assert read_followers() == 0
    found = counts()
    assert len(found) == 3
    assert found[0] < found[1] < found[2]
    connection.refresh_from_db()
    assert connection.followers == found[-1]


def test_a_count_costs_once_what_x_charges(connection, travel, in_workspace):
    with travel.at(0):
        read_followers()
        assert spent(in_workspace, month_scope(now())) == (UsageEntry.objects.count() * 10_000, 0)
        assert UsageEntry.objects.filter(kind="x.read", amount_micro=10_000, status="settled").count() == 1


def test_no_money_no_count(connection, travel, in_workspace, sandbox):
    Workspace.objects.filter(pk=in_workspace.pk).update(monthly_cap_micro=9_999)
    before = asked(sandbox)
    with travel.at(0):
        assert read_followers() == 0
    assert (counts(), asked(sandbox)) == ([], before)


def test_an_account_that_fails_is_a_gap_and_not_a_zero(connection, travel, sandbox, in_workspace):
    sandbox.fault("rate_limit", route=ME)
    with travel.at(0):
        assert read_followers() == 0
        assert spent(in_workspace, month_scope(now()))[1] == 0
        assert counts() == []
    with travel.at(HOUR):
        assert read_followers() == 1


def test_the_members_of_a_channel_are_counted_and_cost_nothing(channel, travel, telegram, in_workspace):
    with travel.at(0):
        assert read_followers() == 1
    assert counts() == [telegram_members(telegram, channel)]
    assert not UsageEntry.objects.exists()


def telegram_members(telegram, channel: Connection) -> int:
    (found,) = [one for one in telegram.sandbox.get("/telegram/chats")["chats"] if str(one["id"]) == channel.remote_id]
    return found["member_count"]


def test_other_accounts_are_not_counted(connection):
    for fields in ({"status": "paused"}, {"status": "disconnected"}, {"status": "active", "kind": "private"}):
        Connection.objects.filter(pk=connection.pk).update(**fields)
        assert read_followers() == 0, fields
