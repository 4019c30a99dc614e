"""No list asks once per row: the pages that people look at all day cost the same queries with few rows and many."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Actor
from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import Campaign, Conversation, Delivery, Post
from compliance.models import Review
from experiments.models import Experiment
from marketing.benching.pages import PAGES, fill_pages

pytestmark = pytest.mark.django_db
FEW, MANY = 10, 200


def statements(client: Client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in found]


def test_pages_cost_the_same_with_200_rows_as_with_10(
    alice_client: Client, workspace: Workspace, alice_actor: Actor
) -> None:
    fill_pages(FEW, by=alice_actor)
    addresses = {name: f"/w/{workspace.slug}{path}" for name, path in PAGES.items()}
    few = {name: statements(alice_client, address) for name, address in addresses.items()}
    fill_pages(MANY - FEW, by=alice_actor)
    many = {name: statements(alice_client, address) for name, address in addresses.items()}
    grown = {name: (len(few[name]), len(many[name])) for name in addresses if len(many[name]) > len(few[name])}
    assert grown == {}


def test_so_many_of_each_are_there(workspace: Workspace, alice_actor: Actor) -> None:
    fill_pages(5, by=alice_actor)
    with workspace_scope(workspace.pk):
        for model in (Campaign, Conversation, Delivery, Experiment, Post, Review):
            assert model.objects.count() == 5, model
        assert len({review.object_id for review in Review.objects.all()}) == 5
