"""/activity/: the log and its counts, for people."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.scope import workspace_scope
from campaigns import publishing_log as log
from campaigns.models import Delivery, HourlyRollup, Post, PublishingLog
from campaigns.sources import create_source
from lib.clock import now, shifted
from tests.campaigns.cast import add_post

pytestmark = pytest.mark.django_db
URL = "/activity/"


@pytest.fixture
def lines(delivery, bob_actor, cafe) -> list[Delivery]:
    other = Delivery.objects.get(post=add_post(bob_actor, cafe, text="Cold brew."))
    PublishingLog.objects.all().delete()
    HourlyRollup.objects.all().delete()
    with shifted(timedelta(minutes=-2)):
        log.write(delivery, "published", log.SUCCESS, "Published.")
    log.write(other, "failed", log.ERROR, "Too <long>.")
    return [delivery, other]


def shown(client, **query) -> list[str]:
    return [row.line.action for row in client.get(URL, query).context["rows"]]


def test_new_workspace_is_told_what_will_be_here(vic_client, in_workspace):
    html = vic_client.get(URL).content.decode()
    assert "Nothing here" in html
    assert "Nothing was created, completed or failed" in html


def test_newest_line_comes_first_with_a_way_to_its_receipt(vic_client, lines):
    html = vic_client.get(URL).content.decode()
    assert shown(vic_client) == ["failed", "published"]
    assert f'href="/deliveries/{lines[1].pk}"' in html
    assert "Too &lt;long&gt;." in html
    assert "Cold brew." in html
    assert "@cafe" in html
    assert "Europe/Berlin" in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "failed"}, ["failed"]),
        ({"status": "success"}, ["published"]),
        ({"action": "failed", "status": "success"}, []),
        ({"post": str(uuid4())}, []),
        # What is no answer is left out, as in every address that people edit.
        ({"status": "loud", "connection": "1", "action": "'; --"}, ["failed", "published"]),
    ],
)
def test_lines_are_filtered(vic_client, lines, query, expected):
    assert shown(vic_client, **query) == expected


def test_lines_of_one_account_and_one_delivery(vic_client, lines, cafe):
    assert shown(vic_client, connection=cafe.pk) == ["failed"]
    assert shown(vic_client, delivery=lines[0].pk) == ["published"]


def test_filter_of_a_source_holds_for_the_counts_too(vic_client, lines, bob_actor):
    source = create_source(by=bob_actor, name="Folder", folder="spring", connections=[])
    Post.objects.filter(pk=lines[0].post_id).update(source=source)
    log.write(lines[0], "failed", log.ERROR)
    log.write(lines[0], "created", log.INFO)
    page = vic_client.get(URL, {"project": source.pk})
    assert [row.line.action for row in page.context["rows"]] == ["created", "failed"]
    assert [(bucket.created, bucket.failed) for bucket, _ in page.context["bars"]] == [(1, 0)]


def test_line_of_a_deleted_post_stays_without_a_link(vic_client, lines):
    Post.objects.filter(pk=lines[1].post_id).delete()
    html = vic_client.get(URL, {"action": "failed"}).content.decode()
    assert "Deleted post" in html
    assert f"/deliveries/{lines[1].pk}" not in html


def test_counts_are_shown_by_hour_and_by_day(vic_client, in_workspace):
    hour = now().replace(minute=0, second=0, microsecond=0)
    for back, completed in ((0, 4), (2, 1), (24 * 3, 2)):
        HourlyRollup.objects.create(workspace=in_workspace, hour=hour - timedelta(hours=back), completed=completed)
    hours = vic_client.get(URL).context["bars"]
    assert [(bucket.completed, length) for bucket, length in hours] == [(4, 100), (1, 25)]
    days = vic_client.get(URL, {"by": "day"}).context["bars"]
    assert sum(bucket.completed for bucket, _ in days) == 7


def test_pages_keep_the_filter(vic_client, lines):
    for _ in range(60):
        log.write(lines[0], "retry", log.WARNING)
    html = vic_client.get(URL, {"action": "retry"}).content.decode()
    assert "1–50 of 60" in html
    assert "action=retry&amp;page=2" in html


def test_number_of_queries_does_not_grow_with_the_lines(vic_client, lines):
    vic_client.get(URL)
    with CaptureQueriesContext(database) as few:
        vic_client.get(URL)
    for number in range(20):
        log.write(lines[number % 2], "retry", log.INFO)
    with CaptureQueriesContext(database) as many:
        vic_client.get(URL)
    assert len(many) == len(few)


def test_guests_and_strangers_see_nothing_of_it(gwen_client, charlie_client, other_workspace, lines):
    assert gwen_client.get(URL).status_code == 403
    with workspace_scope(other_workspace.pk):
        assert shown(charlie_client) == []


def test_page_is_reached_from_every_page(vic_client, in_workspace):
    assert reverse("campaigns:activity") == URL
    assert f'href="{URL}"' in vic_client.get("/posts").content.decode()
