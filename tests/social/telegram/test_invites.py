from datetime import timedelta

import pytest
import requests
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from lib.clock import now
from social.models import InviteLink
from social.telegram.invites import create_invite_link, revoke_invite_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(chat_connection, alice_actor):
    def create(by=alice_actor, name="Spring", **terms) -> InviteLink:
        return create_invite_link(chat_connection, by=by, name=name, **terms)

    return create


@pytest.fixture
def refusal(make):
    def create(**terms) -> str:
        with pytest.raises(ValidationError) as caught:
            make(**terms)
        return str(caught.value)

    return create


def can_join(telegram, link: InviteLink, name: str = "ann") -> bool:
    telegram.user(name)
    url = f"{telegram.sandbox.url}/_sandbox/telegram/join"
    return requests.post(url, json={"user": name, "link": link.url}, timeout=10).ok


def test_a_link_leads_into_the_chat(make, telegram):
    assert can_join(telegram, make())


def test_a_link_keeps_what_it_was_made_for(make, alice, chat_connection):
    campaign = chat_connection.pk
    link = make(campaign_id=campaign, name="  Spring ")
    assert (link.name, link.campaign_id, link.created_by, link.joins) == ("Spring", campaign, alice, 0)


def test_making_a_link_is_audited(make, workspace):
    make()
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="invite_link.create").count() == 1


def test_a_limit_is_kept_by_telegram(make, telegram):
    link = make(member_limit=1)
    assert can_join(telegram, link, "ann")
    assert not can_join(telegram, link, "ben")


def test_a_link_ends(make, telegram):
    link = make(expires_at=now() + timedelta(hours=1))
    telegram.sandbox.advance(7200)
    assert not can_join(telegram, link)


def test_a_link_may_ask_an_admin(make):
    assert make(needs_approval=True).needs_approval


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"name": ""}, "1 to 32"),
        ({"name": "x" * 33}, "1 to 32"),
        ({"member_limit": 0}, "Between 1 and 99,999"),
        ({"member_limit": 100_000}, "Between 1 and 99,999"),
        ({"member_limit": 5, "needs_approval": True}, "cannot have a limit"),
        ({"expires_at": now() - timedelta(days=1)}, "in the past"),
    ],
)
def test_terms_that_telegram_refuses_are_refused_before(refusal, terms, text):
    assert text in refusal(**terms)


def test_a_telegram_that_is_away_leaves_no_link(refusal, settings, workspace):
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    assert refusal()
    with workspace_scope(workspace.pk):
        assert not InviteLink.objects.exists()


def test_a_bot_without_the_right_makes_no_link(refusal, telegram, channel, own_bot):
    telegram.let_in(channel, own_bot.username, rights={"can_invite_users": False})
    assert refusal()


def test_a_chat_whose_bot_is_gone_makes_no_link(refusal, chat_connection):
    chat_connection.app_key = "bot:1"
    assert "bot is gone" in refusal()


def test_a_disconnected_chat_makes_no_link(refusal, chat_connection):
    chat_connection.status = "disconnected"
    assert "not a connected Telegram chat" in refusal()


def test_an_editor_makes_no_link(make, bob_actor):
    with pytest.raises(PermissionDenied):
        make(by=bob_actor)


# --- revoking -----------------------------------------------------------------------------------------------


def test_a_revoked_link_lets_nobody_in(make, telegram, alice_actor, workspace):
    link = make()
    revoke_invite_link(link, by=alice_actor)
    assert not can_join(telegram, link)
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.get().revoked_at


def test_revoking_twice_asks_telegram_once(make, telegram, alice_actor, workspace):
    revoke_invite_link(make(), by=alice_actor)
    with workspace_scope(workspace.pk):
        link = InviteLink.objects.select_related("connection__workspace").get()
    calls = len(telegram.sandbox.ledger())
    revoke_invite_link(link, by=alice_actor)
    assert len(telegram.sandbox.ledger()) == calls


def test_a_link_that_telegram_does_not_know_counts_as_revoked(make, alice_actor, workspace):
    link = make()
    link.url = "https://t.me/+nobody-made-this"
    revoke_invite_link(link, by=alice_actor)
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.get().revoked_at


def test_a_link_stays_when_telegram_is_away(make, alice_actor, settings, workspace):
    link = make()
    settings.TELEGRAM_API_BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(ValidationError):
        revoke_invite_link(link, by=alice_actor)
    with workspace_scope(workspace.pk):
        assert InviteLink.objects.get().revoked_at is None


def test_an_editor_revokes_no_link(make, bob_actor):
    with pytest.raises(PermissionDenied):
        revoke_invite_link(make(), by=bob_actor)
