"""The inbox as people with different roles see it."""

import pytest
from django.test import Client

from campaigns.models import InboxCursor

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(workspace, client: Client):
    def look(user, path: str = "") -> str:
        client.force_login(user)
        return client.get(f"/w/{workspace.slug}/inbox{path}").content.decode()

    return look


def switch(client: Client, workspace, cafe, user, on: str) -> int:
    client.force_login(user)
    return client.post(f"/w/{workspace.slug}/inbox/reading/{cafe.pk}", {"on": on}).status_code


def test_reading_is_switched_on_and_off_from_the_page(client, workspace, cafe, alice, visit):
    assert "Read mentions" in visit(alice)
    assert switch(client, workspace, cafe, alice, "1") == 302
    assert InboxCursor.objects.filter(connection=cafe).count() == 1
    assert "Stop reading" in visit(alice)
    assert switch(client, workspace, cafe, alice, "0") == 302
    assert not InboxCursor.objects.exists()


def test_who_may_not_connect_sees_whether_it_is_read_and_cannot_change_it(client, workspace, cafe, bob, visit):
    page = visit(bob)
    assert "Not read" in page
    assert "Read mentions" not in page
    assert switch(client, workspace, cafe, bob, "1") == 403
    assert not InboxCursor.objects.exists()


def test_a_page_without_an_account_leads_to_connecting_one(workspace, alice, visit):
    page = visit(alice)
    assert "Connect an account" in page


def test_an_empty_filter_leads_back_to_what_is_open(workspace, alice, visit):
    assert "Show what is open" in visit(alice, "?show=done")
    assert "Nothing fits" in visit(alice, "?q=espresso")


def test_reading_words_are_shown_as_words(write, workspace, alice, visit):
    talk = write().conversation
    type(talk).objects.filter(pk=talk.pk).update(sentiment=0.0, intent="opt_out")
    assert "opt out" in visit(alice, f"/{talk.pk}")


def test_the_pages_need_nothing_the_security_policy_forbids(write, alice, visit):
    write()
    # A condition in a trigger is evaluated as a script, which the policy refuses.
    assert 'hx-trigger="every 30s"' in visit(alice)
