"""The outbox and the notifications: who is told what, and that nothing is told of what did not happen."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.access import ROLE_PERMS, Perm
from accounts.api_auth import key_actor
from accounts.models import Event, Membership, Notification, Role
from accounts.scope import workspace_scope
from accounts.services import create_api_key, emit, mark_read, notify
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db


def told() -> set[str]:
    return set(Notification.objects.values_list("user__email", flat=True))


@pytest.fixture
def everybody(in_workspace, join) -> None:
    for role in set(Role.values) - {Role.OWNER}:
        join(role, role)


@pytest.mark.parametrize("perm", list(Perm))
def test_news_reach_exactly_those_whose_role_may_act_on_them(in_workspace, everybody, perm):
    notify(in_workspace, "test", "Look", perm=perm)
    roles = [role for role, perms in ROLE_PERMS.items() if perm in perms]
    members = Membership.objects.filter(role__in=roles)
    assert told() == set(members.values_list("user__email", flat=True))


def test_news_without_a_permission_are_for_those_who_publish(in_workspace, everybody):
    notify(in_workspace, "test", "Look")
    assert told() == {"alice@example.org", "admin@example.org", "editor@example.org"}


def test_news_of_one_workspace_reach_nobody_of_another(in_workspace, charlie, other_workspace):
    notify(in_workspace, "test", "Look", perm=Perm.VIEW)
    assert told() == {"alice@example.org"}
    with workspace_scope(other_workspace.pk):
        assert told() == set()


@pytest.mark.parametrize("text", ["x" * 500, "烘" * 500, "👩🏽‍🍳" * 300])
def test_long_news_are_cut_and_not_refused(in_workspace, text):
    notify(in_workspace, "test", text)
    assert Notification.objects.get().text == text[:300]


def test_newest_news_come_first(in_workspace):
    notify(in_workspace, "test", "Later")
    with shifted(timedelta(hours=-1)):
        notify(in_workspace, "test", "Earlier")
    assert [str(row) for row in Notification.objects.all()] == ["Later", "Earlier"]


def test_number_of_queries_does_not_grow_with_the_members(in_workspace, everybody, django_assert_num_queries):
    with django_assert_num_queries(2):
        notify(in_workspace, "test", "Look", perm=Perm.DELETE)
    with django_assert_num_queries(2):
        notify(in_workspace, "test", "Look", perm=Perm.VIEW)


def test_reading_again_keeps_the_first_moment(in_workspace, alice_actor):
    notify(in_workspace, "test", "Look")
    mark_read(by=alice_actor)
    first = Notification.objects.get().read_at
    with shifted(timedelta(hours=1)):
        mark_read(by=alice_actor)
    assert Notification.objects.get().read_at == first


def test_what_comes_after_the_reading_is_unread(in_workspace, alice_actor):
    notify(in_workspace, "test", "First")
    mark_read(by=alice_actor)
    notify(in_workspace, "test", "Second")
    assert Notification.objects.get(read_at=None).text == "Second"


def test_reading_in_one_workspace_leaves_the_news_of_another(alice, alice_actor, workspace, other_workspace):
    Membership.objects.create(user=alice, workspace=other_workspace, role=Role.ADMIN)
    for each in (workspace, other_workspace):
        with workspace_scope(each.pk):
            notify(each, "test", "Look")
    with workspace_scope(workspace.pk):
        mark_read(by=alice_actor)
    with workspace_scope(other_workspace.pk):
        assert Notification.objects.filter(user=alice, read_at=None).count() == 1


def test_key_reads_what_its_maker_was_told(in_workspace, alice_actor, bob):
    notify(in_workspace, "test", "Look")
    mark_read(by=key_actor(create_api_key("Key", ["read"], by=alice_actor)[0]))
    assert Notification.objects.get(read_at=None).user == bob


def test_news_of_somebody_who_is_gone_are_gone(in_workspace, bob):
    notify(in_workspace, "test", "Look")
    bob.delete()
    assert told() == {"alice@example.org"}


# --- the outbox ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [{}, {"id": "1", "名": "烘焙 🥐"}, {"parts": [{"text": None}, 2, True]}])
def test_event_keeps_its_payload(in_workspace, payload):
    event = emit(in_workspace, "post.published", **payload)
    event.refresh_from_db()
    assert (str(event), event.payload) == ("post.published", payload)
    assert abs(event.created_at - now()) < timedelta(minutes=1)


def test_events_are_read_in_the_order_in_which_they_were_written(in_workspace):
    written = [emit(in_workspace, f"test.{number}").pk for number in range(20)]
    assert list(Event.objects.order_by("created_at").values_list("pk", flat=True)) == written


def test_event_of_an_undone_act_was_never_told(in_workspace):
    with transaction.atomic():
        emit(in_workspace, "test.undone")
        notify(in_workspace, "test", "Undone")
        transaction.set_rollback(True)
    assert (Event.objects.count(), Notification.objects.count()) == (0, 0)
