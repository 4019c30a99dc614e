"""Staff find what failed by its cause and queue all of one cause again."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from accounts.scope import workspace_scope
from campaigns.models import Delivery
from campaigns.rendering import render
from lib.clock import now
from tests.campaigns.cast import add_connection, add_post

URL = reverse("admin:campaigns_delivery_changelist")


@pytest.fixture
def failed(workspace: Workspace, bob_actor):
    def make(code: str, number: int) -> None:
        with workspace_scope(workspace.pk):
            account = add_connection(workspace, f"{code}-{number}")
            row = Delivery.objects.get(post=add_post(bob_actor, account, text=f"{now()}", title=f"{code} {number}"))
            Delivery.objects.filter(pk=row.pk).update(
                state="failed", problem_code=code, approved_hash=render(row).content_hash, fence=1
            )

    for number in range(2):
        make("ended", number)
    make("rare", 0)
    return make


def test_causes_are_offered_with_their_numbers_the_most_frequent_first(staff_client: Client, failed) -> None:
    html = staff_client.get(URL).content.decode()
    assert html.index("ended (2)") < html.index("rare (1)")


def test_a_cause_shows_its_failures_alone(staff_client: Client, failed) -> None:
    html = staff_client.get(URL, {"cause": "rare"}).content.decode()
    assert "rare 0" in html
    assert "ended 0" not in html


def test_all_of_a_cause_are_queued_again_at_once(staff_client: Client, failed, workspace) -> None:
    with workspace_scope(workspace.pk):
        chosen = list(Delivery.objects.filter(problem_code="ended").values_list("pk", flat=True))
    staff_client.post(f"{URL}?cause=ended", {"action": "requeue", "_selected_action": chosen})
    with workspace_scope(workspace.pk):
        assert set(Delivery.objects.filter(pk__in=chosen).values_list("state", flat=True)) == {"scheduled"}
        assert Delivery.objects.get(problem_code="rare").state == "failed"
