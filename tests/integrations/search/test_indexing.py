"""Triggers note every change; a task reads it in."""

import pytest
from django.db import connection

from accounts.scope import all_workspaces_scope
from campaigns.models import Campaign, Post, PostPart
from campaigns.services import create_campaign
from integrations.models import SearchDue, SearchEntry
from integrations.search import indexing
from integrations.search.indexing import index_batch, index_due
from tests.campaigns.cast import add_connection, add_post, mark_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(in_workspace, alice_actor):
    made = add_post(alice_actor, add_connection(in_workspace), text="Fresh beans.", title="Beans")
    index_due()
    return made


def due():
    return sorted(SearchDue.objects.values_list("kind", flat=True))


def bodies():
    return sorted(SearchEntry.objects.values_list("body", flat=True))


def test_a_new_post_and_a_new_campaign_are_due_once(in_workspace, alice_actor):
    create_campaign(by=alice_actor, name="Spring", brief="A brief")
    add_post(alice_actor, text="Fresh beans.")
    assert due() == ["campaign", "post"]
    assert index_due() == 2
    assert (due(), bodies()) == ([], ["A brief", "Fresh beans."])


@pytest.mark.parametrize(
    "change",
    [
        lambda: Post.objects.update(title="New"),
        lambda: Post.objects.update(tags=["new"]),
        lambda: Post.objects.update(revision=7),
        lambda: PostPart.objects.update(text="New"),
        lambda: Campaign.objects.update(brief="New"),
        lambda: Campaign.objects.update(name="New"),
    ],
)
def test_a_change_of_what_it_says_is_noted(post, in_workspace, alice_actor, change):
    create_campaign(by=alice_actor, name="Spring")
    index_due()
    change()
    assert len(due()) == 1
    index_due()
    assert any(
        "New" in f"{row.title} {row.body}" or "#new" in row.body or row.kind == "post"
        for row in SearchEntry.objects.all()
    )


def test_what_says_nothing_new_is_not_read_again(post):
    mark_published(post)
    Post.objects.update(made_with_ai=True)
    Campaign.objects.update(status="running")
    assert due() == []


def test_a_change_replaces_what_was_read_before(post):
    PostPart.objects.update(text="Stale beans.")
    index_due()
    assert bodies() == ["Stale beans."]


def test_what_is_deleted_is_found_no_more(post, in_workspace, alice_actor):
    campaign = create_campaign(by=alice_actor, name="Spring")
    index_due()
    PostPart.objects.update(text="Changed and not read yet.")
    post.deliveries.all().delete()
    post.delete()
    campaign.delete()
    assert (SearchEntry.objects.count(), due()) == (0, [])


def test_raw_sql_is_noted_as_well(post):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_postpart SET text = 'By hand'")
    index_due()
    assert bodies() == ["By hand"]


def test_it_works_in_the_scope_of_all_workspaces(post, other_workspace, charlie_actor):
    with all_workspaces_scope("a test"):
        Post.objects.create(workspace=other_workspace, title="Theirs")
        assert SearchDue.objects.get().workspace_id == other_workspace.pk
        index_due()
        assert set(SearchEntry.objects.values_list("workspace_id", "title")) == {
            (post.workspace_id, "Beans"),
            (other_workspace.pk, "Theirs"),
        }


def test_more_than_a_batch_is_read_in_one_tick_the_newest_first(in_workspace, alice_actor, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH", 2)
    posts = [add_post(alice_actor, text=f"Text {n}") for n in range(5)]
    SearchDue.objects.filter(object_id=posts[3].pk).update(at="2090-01-01T00:00:00Z")
    index_batch()
    assert "Text 3" in bodies()
    assert index_due() == 3


def test_a_post_without_a_title_is_named_by_its_first_line(in_workspace, alice_actor):
    add_post(alice_actor, text="First line\nSecond line")
    index_due()
    assert SearchEntry.objects.get().title == "First line"
