"""The sample numbers of the demo: a month, labelled, the same each time, and asked of nobody."""

import pytest
from django.core.management import call_command

from accounts.scope import all_workspaces_scope
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.followers import read_followers
from analytics.collection.measure import measure_due
from analytics.demo import DAYS, SAMPLE, add_numbers
from analytics.models import Conversion, Event, FollowerCount, Link, MeasuredPost, Snapshot
from analytics.models.measures import METRICS
from campaigns.services import create_campaign
from lib.clock import now
from social.models import Connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]


@pytest.fixture
def filled(alice_actor):
    add_numbers(alice_actor, create_campaign(by=alice_actor, name="Spring"))


def test_a_month_of_labelled_numbers_that_nobody_is_ever_asked_for(filled, in_workspace):
    posts = list(MeasuredPost.objects.all())
    clicks, booked = Event.objects.filter(workspace_id=in_workspace.pk, kind="click"), Conversion.objects.all()
    assert (len(posts) > DAYS, FollowerCount.objects.count()) == (True, 2 * (DAYS + 1))
    assert clicks.count() > 500
    assert 0 < clicks.filter(is_bot=True).count() < clicks.count() / 3
    assert booked.count() > 20
    assert all(row.campaign_id and row.click_id and row.value_micro > 0 for row in booked)
    # Everything says that it is a sample.
    assert all(post.text.startswith("Sample: ") for post in posts)
    assert all(link.title.startswith("Sample: ") for link in Link.objects.all())
    assert {(row.status, row.status_text) for row in Connection.objects.all()} == {("disconnected", SAMPLE)}
    # What is not known is missing with a reason, and nothing lies in the future.
    assert all({name for name in METRICS if getattr(post, name) is None} == set(post.missing) for post in posts)
    assert not [post for post in posts if post.published_at > now()]
    assert not Snapshot.objects.filter(at__gt=now()).exists()
    assert not clicks.filter(at__gt=now()).exists()
    for post in MeasuredPost.objects.filter(connection__network="x").prefetch_related("snapshots"):
        seen = [row.metrics["impressions"] for row in post.snapshots.order_by("age_s")]
        assert [*seen, post.impressions] == sorted([*seen, post.impressions])
    assert (adopt_live_parts(), measure_due(), read_followers()) == (0, 0, 0)


def test_the_same_numbers_come_each_time(filled, alice_actor, in_workspace):
    def totals() -> list:
        rows = MeasuredPost.objects.filter(connection__network="x").order_by("published_at")
        return list(rows.values_list("published_at", "text", "likes"))

    first = totals()
    Connection.objects.all().delete()
    add_numbers_again(alice_actor)
    assert [row[:2] for row in totals()] == [row[:2] for row in first]


def add_numbers_again(alice_actor) -> None:
    from analytics.models import Target

    Conversion.objects.all().delete()
    Target.objects.all().delete()
    add_numbers(alice_actor, create_campaign(by=alice_actor, name="Again"))


def test_the_demo_workspace_has_them(settings):
    settings.X_API_BASE_URL = "http://127.0.0.1:8100/x"
    call_command("load_demo")
    with all_workspaces_scope("look"):
        posts = MeasuredPost.objects.filter(workspace__name="Demo Roastery")
        assert posts.count() > DAYS
        assert {post.campaign.name for post in posts.select_related("campaign")} == {"Spring launch"}
