"""What beat starts, from a published post to its numbers."""

import pytest
from django.conf import settings

from analytics import tasks
from analytics.ages import MINUTE
from analytics.models import FollowerCount, MeasuredPost, Snapshot
from marketing.celery import app

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]


def test_a_published_post_is_adopted_and_measured_by_the_tick(publish, travel):
    with travel.at(0):
        publish("Fresh beans")
        tasks.measure_posts()
    with travel.at(15 * MINUTE + 60):
        tasks.measure_posts()
        tasks.measure_posts()
    assert Snapshot.objects.get().metrics["impressions"] > 0


def test_accounts_are_counted_and_their_posts_found(connection, sandbox, travel):
    with travel.at(0):
        sandbox.post("/posts", account="roastery", text="By hand")
        tasks.read_accounts()
    assert FollowerCount.objects.get().connection == connection
    assert MeasuredPost.objects.get().text == "By hand"


@pytest.mark.parametrize("name", ["analytics.measure_posts", "analytics.read_accounts"])
def test_beat_starts_them(name):
    assert name in app.tasks
    assert name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
