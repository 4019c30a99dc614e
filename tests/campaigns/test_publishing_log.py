"""What is written of a delivery, and that every hour's counts are exact."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from accounts.scope import workspace_scope
from campaigns import publishing_log as log
from campaigns.deliveries import schedule_delivery
from campaigns.drafts import PartDraft, PostDraft
from campaigns.models import Delivery, HourlyRollup, Post, PublishingLog
from campaigns.services import update_post
from campaigns.sources import create_source
from lib.clock import now, shifted
from tests.campaigns.cast import add_connection, add_post

pytestmark = pytest.mark.django_db


def counts() -> list[tuple[int, int, int]]:
    return list(HourlyRollup.objects.order_by("hour").values_list("created", "completed", "failed"))


@pytest.fixture
def three(roastery, bob_actor) -> list[Delivery]:
    return [Delivery.objects.get(post=add_post(bob_actor, roastery, text=str(n))) for n in range(3)]


@pytest.fixture(autouse=True)
def nothing_yet(request) -> None:
    """What the services wrote while the cast was made is not what these tests are about."""
    if "delivery" in request.fixturenames or "three" in request.fixturenames:
        request.getfixturevalue("three" if "three" in request.fixturenames else "delivery")
        PublishingLog.objects.all().delete()
        HourlyRollup.objects.all().delete()


# --- lines ------------------------------------------------------------------------------------------------------


def test_line_names_the_delivery_and_all_around_it(delivery, campaign):
    Post.objects.filter(pk=delivery.post_id).update(campaign=campaign)
    Delivery.objects.filter(pk=delivery.pk).update(fence=3)
    log.write(delivery, "retry", log.WARNING, "Too slow.", code="slow")
    line = PublishingLog.objects.get()
    assert (line.delivery_id, line.post_id, line.connection_id) == (
        delivery.pk,
        delivery.post_id,
        delivery.connection_id,
    )
    assert (line.campaign_id, line.source_id, line.workspace) == (campaign.pk, None, delivery.workspace)
    assert (line.action, line.status, line.message, line.details) == (
        "retry",
        "warning",
        "Too slow.",
        {"fence": 3, "code": "slow"},
    )


def test_line_is_dated_by_the_one_clock(delivery):
    with shifted(timedelta(days=-3)):
        log.write(delivery, "retry", log.INFO)
        assert abs(PublishingLog.objects.get().at - now()) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("message", "kept"), [("x" * 400, "x" * 300), ("a\x00b", "ab"), ("\ud800!", "!"), ("烘焙", "烘焙")]
)
def test_any_message_can_be_written(delivery, message, kept):
    log.write(delivery, "retry", log.INFO, message)
    assert PublishingLog.objects.get().message == kept


def test_any_detail_can_be_written(delivery):
    log.write(delivery, "retry", log.INFO, text="a\x00b", at=now(), id=delivery.pk)
    details = PublishingLog.objects.get().details
    assert (details["text"], details["id"]) == ("ab", str(delivery.pk))


def test_unknown_status_is_refused(delivery):
    with pytest.raises(ValueError, match="no status"):
        log.write(delivery, "retry", "fine")


def test_many_lines_take_one_statement(three, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert log.write_many([row.pk for row in three], "retry", log.INFO) == 3
    assert set(PublishingLog.objects.values_list("delivery_id", flat=True)) == {row.pk for row in three}


def test_counted_lines_take_one_statement_more(three, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert log.write_many([row.pk for row in three], "failed", log.ERROR) == 3
    assert counts() == [(0, 0, 3)]


def test_nothing_is_written_of_nothing(delivery):
    assert log.write_many([], "failed", log.ERROR) == 0
    assert log.write_many([uuid4()], "failed", log.ERROR) == 0
    assert (PublishingLog.objects.count(), counts()) == (0, [])


def test_nothing_is_written_of_another_workspace(delivery, other_workspace):
    with workspace_scope(other_workspace.pk):
        assert log.write(delivery, "failed", log.ERROR) == 0
    assert not PublishingLog.objects.exists()


def test_line_outlives_its_post(delivery):
    log.write(delivery, "canceled", log.INFO)
    Post.objects.filter(pk=delivery.post_id).delete()
    assert PublishingLog.objects.get().delivery_id == delivery.pk


def test_line_of_what_is_rolled_back_is_not_written(delivery):
    with transaction.atomic():
        log.write(delivery, "published", log.SUCCESS)
        transaction.set_rollback(True)
    assert (PublishingLog.objects.count(), counts()) == (0, [])


# --- counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("created", [(1, 0, 0)]),
        ("published", [(0, 1, 0)]),
        ("failed", [(0, 0, 1)]),
        ("dropped", [(0, 0, 1)]),
        ("missed", []),
        ("retry", []),
    ],
)
def test_only_beginnings_and_ends_are_counted(delivery, action, expected):
    log.write(delivery, action, log.INFO)
    assert counts() == expected


@pytest.mark.parametrize("action", ["created", "published", "failed", "dropped"])
def test_what_is_told_twice_counts_once(delivery, action):
    log.write(delivery, action, log.INFO)
    log.write(delivery, action, log.INFO)
    assert (sum(counts()[0]), PublishingLog.objects.count()) == (1, 2)


def test_second_publication_does_not_count_even_after_other_news(delivery):
    for action in ("published", "edited", "published"):
        log.write(delivery, action, log.INFO)
    assert counts() == [(0, 1, 0)]


def test_every_ending_counts_once(delivery):
    for action in ("failed", "failed", "scheduled", "failed", "dropped", "scheduled", "dropped"):
        log.write(delivery, action, log.INFO)
    assert counts() == [(0, 0, 3)]


def test_failure_of_the_next_claim_counts_without_other_news_between(delivery):
    for fence in (1, 1, 2):
        Delivery.objects.filter(pk=delivery.pk).update(fence=fence)
        log.write(delivery, "failed", log.ERROR)
    assert counts() == [(0, 0, 2)]


def test_failure_after_which_it_went_out_counts_as_both(delivery):
    for action in ("created", "failed", "scheduled", "published"):
        log.write(delivery, action, log.INFO)
    assert counts() == [(1, 1, 1)]


def test_delivery_that_is_live_does_not_fail_afterwards(delivery):
    log.write(delivery, "published", log.SUCCESS)
    log.write(delivery, "failed", log.ERROR)
    assert counts() == [(0, 1, 0)]


def test_every_hour_has_its_own_counts(three):
    log.write(three[0], "failed", log.ERROR)
    with shifted(timedelta(hours=1)):
        log.write_many([row.pk for row in three[1:]], "failed", log.ERROR)
    assert counts() == [(0, 0, 1), (0, 0, 2)]
    assert all((row.hour.minute, row.hour.second) == (0, 0) for row in HourlyRollup.objects.all())


def test_every_project_has_its_own_counts(three, bob_actor):
    source = create_source(by=bob_actor, name="Folder", folder="spring", connections=[])
    Post.objects.filter(pk__in=[row.post_id for row in three[:2]]).update(source=source)
    log.write_many([row.pk for row in three], "published", log.SUCCESS)
    found = HourlyRollup.objects.values_list("source", "completed")
    assert set(found) == {(source.pk, 2), (None, 1)}


# --- what the services tell -----------------------------------------------------------------------------------------


def told(post: Post) -> list[str]:
    return list(PublishingLog.objects.filter(post_id=post.pk).order_by("at", "id").values_list("action", flat=True))


def test_life_of_a_post_is_written_down(roastery, bob_actor, approved):
    post = add_post(bob_actor, roastery)
    schedule_delivery(approved(post), now() + timedelta(hours=1), by=bob_actor)
    assert told(post) == ["created", "submitted", "approved", "scheduled"]


def test_post_to_two_accounts_is_created_twice(roastery, cafe, bob_actor):
    post = add_post(bob_actor, roastery, cafe)
    assert told(post) == ["created", "created"]
    assert counts() == [(2, 0, 0)]


def test_new_account_of_an_old_post_is_the_only_new_line(roastery, cafe, bob_actor):
    post = add_post(bob_actor, roastery)
    draft = PostDraft((PartDraft("Fresh."),), connections=(roastery.pk, cafe.pk))
    update_post(post, draft, by=bob_actor)
    assert told(post) == ["created", "created"]


def test_plan_of_a_draft_is_no_news(delivery, bob_actor):
    schedule_delivery(delivery, now() + timedelta(hours=1), by=bob_actor)
    assert told(delivery.post) == []


def test_post_without_an_account_is_not_written_down(in_workspace, bob_actor):
    assert told(add_post(bob_actor)) == []


# --- several at once ----------------------------------------------------------------------------------------------


def at_once(work, times: int) -> None:
    """Real sessions beside each other; each begins when all are ready."""
    gate = threading.Barrier(times)

    def run(number: int) -> None:
        try:
            gate.wait(10)
            work(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


@pytest.fixture
def committed(db, request, workspace, bob_actor):
    with workspace_scope(workspace.pk):
        account = add_connection(workspace)
        rows = [Delivery.objects.get(post=add_post(bob_actor, account, text=str(n))) for n in range(6)]
        PublishingLog.objects.all().delete()
        HourlyRollup.objects.all().delete()
    return rows


@pytest.mark.django_db(transaction=True)
def test_counts_are_exact_when_several_write_at_once(committed, workspace):
    def work(number: int) -> None:
        with workspace_scope(workspace.pk):
            log.write(committed[number], "published", log.SUCCESS)

    at_once(work, 6)
    with workspace_scope(workspace.pk):
        assert counts() == [(0, 6, 0)]


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_the_same_are_counted_once(committed, workspace):
    def work(number: int) -> None:
        order = committed if number % 2 else committed[::-1]
        with workspace_scope(workspace.pk):
            log.write_many([row.pk for row in order], "failed", log.ERROR)

    at_once(work, 4)
    with workspace_scope(workspace.pk):
        assert counts() == [(0, 0, 6)]
        assert PublishingLog.objects.count() == 24


# --- retention ----------------------------------------------------------------------------------------------------


def test_old_lines_are_forgotten_and_counts_stay(delivery, settings):
    settings.PUBLISHING_LOG_DAYS = 30
    with shifted(timedelta(days=-31)):
        log.write(delivery, "published", log.SUCCESS)
    with shifted(timedelta(days=-29)):
        log.write(delivery, "edited", log.INFO)
    assert log.forget_old_lines() == 1
    assert list(PublishingLog.objects.values_list("action", flat=True)) == ["edited"]
    assert counts() == [(0, 1, 0)]


def test_old_lines_are_forgotten_in_batches(three, settings, monkeypatch):
    monkeypatch.setattr(log, "BATCH", 2)
    with shifted(timedelta(days=-1000)):
        log.write_many([row.pk for row in three], "retry", log.INFO)
    assert log.forget_old_lines() == 3
    assert not PublishingLog.objects.exists()


def test_lines_of_every_workspace_are_forgotten(delivery, other_workspace):
    with workspace_scope(other_workspace.pk):
        PublishingLog.objects.create(
            workspace=other_workspace, action="retry", status="info", at=now() - timedelta(days=1000)
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', '', true)")
    assert log.forget_old_lines() == 1
