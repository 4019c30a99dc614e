"""Posts made elsewhere are found on X, once, and never one of our own."""

from datetime import timedelta

import pytest

from accounts.models import UsageEntry, Workspace
from accounts.usage import month_scope, spent
from analytics.ages import DAY, HOUR
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due
from analytics.collection.timeline import AFTER_FAILURE, EVERY, import_due, import_timeline
from analytics.models import MeasuredPost
from campaigns.inbox.collect import collect_due
from campaigns.models import InboxCursor
from lib.clock import now
from social.models import Connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]
TIMELINE = "GET /2/users/{id}/tweets"


@pytest.fixture
def by_hand(sandbox):
    return lambda text: sandbox.post("/posts", account="roastery", text=text)


@pytest.fixture
def texts():
    return lambda: list(MeasuredPost.objects.order_by("published_at").values_list("text", flat=True))


def test_a_post_made_by_hand_is_found_once(connection, by_hand, texts):
    by_hand("Typed on a phone & sent")
    assert import_due() == 1
    post = MeasuredPost.objects.get()
    assert (post.text, post.part, post.delivery, post.campaign) == ("Typed on a phone & sent", None, None, None)
    InboxCursor.objects.update(next_at=now())
    assert import_timeline(connection) == 0
    assert texts() == ["Typed on a phone & sent"]


def test_a_found_post_is_measured_at_once_and_then_at_its_ages(connection, by_hand, travel):
    with travel.at(0):
        by_hand("Found late")
    with travel.at(2 * HOUR):
        import_due()
        assert measure_due() == 1
        post = MeasuredPost.objects.get()
        assert post.impressions > 0
        assert post.snapshots.count() == 0
    with travel.at(3 * HOUR + 30):
        assert measure_due() == 1
    assert post.snapshots.get().age_s == 3 * HOUR


def test_only_what_is_new_is_read(connection, by_hand, sandbox, travel, texts):
    with travel.at(0):
        by_hand("One")
        import_due()
    with travel.at(EVERY.total_seconds() + 1):
        by_hand("Two")
        assert import_due() == 1
    assert texts() == ["One", "Two"]
    asked = [entry["path"] for entry in sandbox.ledger() if "/tweets?" in entry["path"] and "/users/" in entry["path"]]
    assert ["since_id" in path for path in asked] == [False, True]


def test_an_account_is_read_a_few_times_a_day(connection, by_hand, travel):
    with travel.at(0):
        import_due()
        by_hand("Soon after")
    with travel.at(HOUR):
        assert import_due() == 0
    with travel.at(EVERY.total_seconds() + 1):
        assert import_due() == 1


@pytest.mark.parametrize("is_adopted", [True, False])
def test_our_own_posts_are_not_found_again(publish, connection, by_hand, texts, is_adopted):
    publish("From here")
    if is_adopted:
        adopt_live_parts()
    by_hand("From elsewhere")
    assert import_due() == 1
    adopt_live_parts()
    assert sorted(texts()) == ["From elsewhere", "From here"]


def test_a_post_seen_before_its_receipt_becomes_ours(publish, by_hand, connection):
    (part,) = publish("Uncertain")
    remote_id = part.remote_id
    type(part).objects.filter(pk=part.pk).update(remote_id="1")
    import_due()
    assert MeasuredPost.objects.get(remote_id=remote_id).part is None
    type(part).objects.filter(pk=part.pk).update(remote_id=remote_id)
    adopt_live_parts()
    assert MeasuredPost.objects.get().part == part


def test_reading_is_off_where_it_could_pass_the_cap(connection, by_hand, in_workspace, sandbox):
    by_hand("Too dear")
    used = sum(spent(in_workspace, month_scope(now())))
    Workspace.objects.filter(pk=in_workspace.pk).update(monthly_cap_micro=used + 499_999)
    assert import_due() == 0
    assert "cap" in InboxCursor.objects.get().problem
    assert not [entry for entry in sandbox.ledger() if "/users/" in entry["path"] and "/tweets" in entry["path"]]
    Workspace.objects.filter(pk=in_workspace.pk).update(monthly_cap_micro=used + 500_000)
    InboxCursor.objects.update(next_at=now())
    assert import_timeline(connection) == 1
    assert InboxCursor.objects.get().problem == ""


def test_it_costs_what_x_charges_and_nothing_stays_held_back(connection, by_hand, in_workspace):
    for number in range(3):
        by_hand(f"Post {number}")
    before = spent(in_workspace, month_scope(now()))[0]
    import_due()
    assert spent(in_workspace, month_scope(now())) == (before + 3 * 5000, 0)
    assert UsageEntry.objects.filter(kind="x.post_read").count() == 3


def test_a_measurement_on_the_same_day_is_not_paid_twice(connection, by_hand, in_workspace):
    by_hand("Once")
    import_due()
    before = spent(in_workspace, month_scope(now()))
    measure_due()
    assert spent(in_workspace, month_scope(now())) == before


@pytest.mark.parametrize(("fault", "count"), [("rate_limit", 1), ("accept_then_drop", 1)])
def test_a_timeline_that_cannot_be_read_is_read_later(connection, by_hand, sandbox, in_workspace, travel, fault, count):
    with travel.at(0):
        by_hand("Patience")
        sandbox.fault(fault, route=TIMELINE, count=count)
        assert import_due() == 0
        assert InboxCursor.objects.get().problem
        assert spent(in_workspace, month_scope(now()))[1] == 0
    with travel.at(AFTER_FAILURE.total_seconds() + 1):
        assert import_due() == 1


def test_other_accounts_are_not_read(connection, by_hand):
    by_hand("Not now")
    for fields in ({"status": "paused"}, {"status": "reconnect"}, {"status": "active", "network": "telegram"}):
        Connection.objects.filter(pk=connection.pk).update(**fields)
        assert import_due() == 0, fields
    assert not InboxCursor.objects.exists()


def test_the_inbox_does_not_take_the_cursor_of_a_timeline_for_its_own(connection, travel):
    with travel.at(0):
        import_due()
    with travel.at(DAY):
        assert collect_due() == 0
        cursor = InboxCursor.objects.get()
    assert cursor.next_at < now() + timedelta(days=1, hours=18)
