"""The page and the API of a post's numbers: by age, with source, kind and what is missing."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from analytics.ages import AGES, DAY, HOUR, MINUTE
from analytics.collection.numbers import numbers_of
from analytics.models import MeasuredPost, Snapshot
from analytics.models.measures import METRICS
from campaigns.models import Delivery, LivePart
from lib.clock import now
from social.models import Connection
from tests.campaigns.cast import add_connection, add_post, mark_published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]
X = {"impressions": 1234, "likes": 20, "replies": 0}


@pytest.fixture
def account(in_workspace) -> Connection:
    return add_connection(in_workspace)


@pytest.fixture
def delivery(account, bob_actor) -> Delivery:
    post = add_post(bob_actor, account, text="Fresh beans")
    mark_published(post)
    return Delivery.objects.select_related("workspace").get(post=post)


@pytest.fixture
def measured(delivery, account):
    """A part that was published so long ago, with snapshots by age."""

    def make(age: timedelta, taken: dict[int, dict] | None = None, position: int = 0, **fields) -> MeasuredPost:
        part = LivePart.objects.create(
            workspace=delivery.workspace,
            delivery=delivery,
            connection=account,
            position=position,
            content_hash="h",
            remote_id=f"4{position}",
            url=f"https://x.com/i/status/4{position}",
        )
        post = MeasuredPost.objects.create(
            workspace=delivery.workspace,
            connection=account,
            delivery=delivery,
            part=part,
            remote_id=part.remote_id,
            url=part.url,
            text=f"Part {position}",
            published_at=now() - age,
            due_at=now() + timedelta(hours=1),
            **fields,
        )
        for age_s, snapshot in (taken or {}).items():
            Snapshot.objects.create(workspace=delivery.workspace, post=post, age_s=age_s, source="x.lookup", **snapshot)
        return post

    return make


@pytest.fixture
def shown(vic_client, delivery):
    def show() -> str:
        answer = vic_client.get(f"/deliveries/{delivery.pk}/numbers", follow=True)
        assert answer.status_code == 200
        return answer.content.decode()

    return show


# --- rows ---------------------------------------------------------------------------------------------------


def notes(post: MeasuredPost) -> dict[int, str]:
    (numbers,) = numbers_of([post])
    return {row.age_s: row.note for row in numbers.rows if row.note}


def test_ages_that_were_not_measured_in_time_say_so_and_later_ones_wait(measured):
    post = measured(timedelta(hours=2), {HOUR: {"metrics": X}})
    assert notes(post) == {15 * MINUTE: "Not measured in time."}
    (numbers,) = numbers_of([post])
    assert len(numbers.rows) == len(AGES)


def test_a_skipped_age_says_why(measured):
    post = measured(timedelta(hours=2), {15 * MINUTE: {"missing": {"*": "cap"}}, HOUR: {"metrics": X}})
    assert notes(post) == {15 * MINUTE: "Skipped: the monthly cap has no money left for reading."}


def test_a_post_that_is_gone_has_no_later_ages(measured):
    post = measured(timedelta(days=2), {DAY: {"metrics": X}}, gone_at=now() - timedelta(hours=20))
    assert notes(post)[2 * DAY] == "The post was deleted."
    assert notes(post)[HOUR] == "Not measured in time."


def test_every_number_is_either_shown_or_missing_with_a_reason(measured):
    post = measured(timedelta(hours=2), {HOUR: {"metrics": X}}, missing={"reactions": "not_here"}, **X)
    (numbers,) = numbers_of([post])
    names, missing = set(numbers.headings), dict(numbers.missing)
    assert names == {"Impressions", "Likes", "Replies"}
    assert len(names) + len(missing) == len(METRICS)
    assert missing["Reactions"] == "This network has no such number."
    assert missing["Joins"] == "Not measured yet."


def test_many_posts_take_as_many_queries_as_one(measured):
    def queries(posts: list[MeasuredPost]) -> int:
        with CaptureQueriesContext(
            database,
        ) as captured:
            numbers_of(posts)
        return len(captured)

    one = measured(timedelta(hours=2), {HOUR: {"metrics": X}})
    more = [measured(timedelta(hours=2), {HOUR: {"metrics": X}}, position=n) for n in (1, 2, 3)]
    assert queries([one]) == queries([one, *more])


# --- page ---------------------------------------------------------------------------------------------------


def test_the_page_shows_numbers_by_age_with_their_source(measured, shown):
    measured(timedelta(hours=2), {HOUR: {"metrics": X}}, measured_at=now(), **X)
    text = shown()
    assert "1,234" in text
    assert "Read from X, exact" in text
    assert "Not measured in time." in text


def test_zero_is_shown_as_zero_and_a_gap_is_not(measured, shown):
    measured(timedelta(hours=2), {HOUR: {"metrics": {"replies": 0}}}, replies=0, missing={"likes": "gone"})
    text = shown()
    assert '<td class="num" data-label="Replies">0</td>' in text
    assert 'data-label="Likes"' not in text
    assert "The post was deleted." in text


def test_each_part_of_a_thread_has_its_own_table(measured, shown):
    for position in (0, 1):
        measured(timedelta(hours=2), {HOUR: {"metrics": X}}, position=position)
    assert shown().count("<table") == 2


def test_without_numbers_the_page_says_when_they_come(shown):
    assert "15 minutes after publishing" in shown()


def test_the_receipt_leads_to_the_numbers(measured, vic_client, delivery):
    measured(timedelta(hours=2))
    text = vic_client.get(f"/deliveries/{delivery.pk}", follow=True).content.decode()
    assert f"/deliveries/{delivery.pk}/numbers" in text


def test_a_post_made_elsewhere_has_a_page_too(account, in_workspace, vic_client):
    post = MeasuredPost.objects.create(
        workspace=in_workspace, connection=account, remote_id="7", text="By hand", published_at=now(), impressions=5
    )
    answer = vic_client.get(f"/results/posts/{post.pk}", follow=True)
    assert "By hand" in answer.content.decode()


def test_strangers_find_nothing(measured, charlie_client, delivery):
    post = measured(timedelta(hours=2))
    for path in (f"/deliveries/{delivery.pk}/numbers", f"/results/posts/{post.pk}"):
        assert charlie_client.get(path, follow=True).status_code == 404


# --- API ----------------------------------------------------------------------------------------------------


def test_the_api_has_the_newest_numbers_and_the_ages(measured, api, vic, delivery):
    missing = {"reactions": "not_here", "joins": "not_here"}
    post = measured(timedelta(hours=2), {HOUR: {"metrics": X, "missing": missing}}, missing=missing, **X)
    (row,) = api(vic).get(f"/api/deliveries/{delivery.pk}/metrics").json()
    assert (row["id"], row["part"], row["remote_id"]) == (str(post.pk), 0, "40")
    assert {name: row[name] for name in X} == X
    assert row["bookmarks"] is None
    assert row["missing"] == missing
    (snapshot,) = row["snapshots"]
    assert (snapshot["age_s"], snapshot["metrics"], snapshot["missing"]) == (HOUR, X, missing)
    assert (snapshot["source"], snapshot["kind"]) == ("x.lookup", "exact")


def test_the_api_knows_every_number(measured, api, vic, delivery):
    measured(timedelta(hours=2))
    (row,) = api(vic).get(f"/api/deliveries/{delivery.pk}/metrics").json()
    assert set(METRICS) < set(row)


def test_the_api_answers_strangers_and_guests_as_for_the_delivery(measured, api, charlie, gwen, delivery):
    measured(timedelta(hours=2))
    for user in (charlie, gwen):
        assert api(user).get(f"/api/deliveries/{delivery.pk}/metrics").status_code == 404
    assert api().get(f"/api/deliveries/{delivery.pk}/metrics").status_code == 401


def test_a_number_that_is_gone_at_an_age_says_why_there(measured, shown):
    taken = {HOUR: {"metrics": X}, 3 * HOUR: {"metrics": {"likes": 21}, "missing": {"impressions": "vanished"}}}
    measured(timedelta(hours=4), taken, **X)
    assert 'title="The network shows it for 30 days only."' in shown()


def test_what_is_not_to_be_measured_any_more_is_not_announced(measured):
    post = measured(timedelta(hours=2), {HOUR: {"metrics": X}})
    MeasuredPost.objects.update(due_at=None)
    post.refresh_from_db()
    assert notes(post)[30 * DAY] == "Not planned."
