"""Telegram: what the bot is told, at the ages of its posts, and views through a person's session."""

from datetime import timedelta

import pytest

from accounts.models import Workspace
from analytics.ages import AGES, DAY, HOUR, MINUTE
from analytics.collection.adopt import adopt_live_parts
from analytics.collection.measure import measure_due
from analytics.models import Event, MeasuredPost, Snapshot
from campaigns.models import LivePart
from lib.clock import now
from social.models import Connection, InboundUpdate, UserSession
from social.networks.telegram import mtproto
from social.telegram import handlers
from social.telegram.bots import app_key
from social.telegram.invites import create_invite_link
from tests.social.mtproto_chats import Chats, client_for, new_session
from tests.social.mtproto_chats import channel as mtproto_channel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_workspace")]
QUARTER = 15 * MINUTE + 30


@pytest.fixture
def news(chat, bot) -> Connection:
    """A channel with an audience."""
    return chat(app_key=app_key(bot.id))


@pytest.fixture
def update(bot):
    """The bot hears this, as Telegram sends it."""
    numbers = iter(range(1, 10_000))

    def hear(kind: str, content: dict) -> InboundUpdate:
        number = next(numbers)
        payload = {"update_id": number, kind: content}
        row = InboundUpdate.objects.create(bot_id=bot.id, update_id=number, kind=kind, payload=payload)
        assert handlers.handle_updates(bot.id) == 1
        row.refresh_from_db()
        assert row.problem == ""
        return row

    return hear


@pytest.fixture
def reacted(update, news):
    def hear(remote_id: str, **totals: int) -> None:
        counts = [{"type": {"type": "emoji", "emoji": name}, "total_count": count} for name, count in totals.items()]
        update(
            "message_reaction_count",
            {"chat": {"id": int(news.remote_id), "type": "channel"}, "message_id": int(remote_id), "reactions": counts},
        )

    return hear


@pytest.fixture
def wrote(update, news):
    """Somebody writes in the channel."""

    def hear(number: int, text: str = "Written by hand", **fields) -> None:
        chat = {"id": int(news.remote_id), "type": "channel", "title": "News"}
        update(
            "channel_post", {"message_id": number, "chat": chat, "date": int(now().timestamp()), "text": text, **fields}
        )

    return hear


# --- reactions ----------------------------------------------------------------------------------------------


def test_reactions_are_the_newest_totals_and_kept_at_the_ages(live_post, news, reacted, measured_at):
    post = live_post(to=news)
    reacted(post.remote_id, a=2, b=1)
    measured_at(QUARTER)
    reacted(post.remote_id, a=5, b=1)
    measured_at(HOUR + 30)
    rows = Snapshot.objects.filter(post=post).order_by("age_s")
    assert [(row.age_s, row.metrics, row.kind, row.source) for row in rows] == [
        (15 * MINUTE, {"reactions": 3}, "delayed", "telegram.updates"),
        (HOUR, {"reactions": 6}, "delayed", "telegram.updates"),
    ]
    post.refresh_from_db()
    assert (post.reactions, post.engagements) == (6, 6)


def test_reactions_may_be_taken_back(live_post, news, reacted):
    post = live_post(to=news)
    reacted(post.remote_id, a=5)
    reacted(post.remote_id, a=2)
    post.refresh_from_db()
    assert post.reactions == 2


def test_what_telegram_never_tells_is_missing_and_not_zero(live_post, news, measured_at):
    post = live_post(to=news)
    measured_at(QUARTER)
    post.refresh_from_db()
    assert post.missing["impressions"] == "needs_session"
    assert post.missing["likes"] == post.missing["link_clicks"] == post.missing["joins"] == "not_here"
    assert post.missing["reactions"] == "not_yet"
    assert (post.impressions, post.likes, post.reactions, post.engagements) == (None,) * 4
    row = Snapshot.objects.get(post=post)
    assert (row.metrics, row.missing["impressions"]) == ({}, "needs_session")


def test_a_reaction_may_come_before_the_post_is_adopted(publish, news, reacted):
    (part,) = publish("Quick", to=news)
    reacted(part.remote_id, a=1)
    assert MeasuredPost.objects.get(part=part).reactions == 1
    assert adopt_live_parts() == 0


def test_reactions_to_what_nobody_knows_are_left(news, reacted):
    reacted("99", a=3)
    assert not MeasuredPost.objects.exists()


def test_the_simulated_audience_reacts_and_the_bot_hears_of_it(live_post, telegram, bot, chat, travel, settings):
    """From the sandbox's clock to the snapshot, with nothing in between but HTTP."""
    from social.telegram.receiver import KINDS, append_updates

    chat_id = telegram.chat("channel", bots={str(bot.id): "administrator"}, audience=4000)
    made = chat()
    Connection.objects.filter(pk=made.pk).update(remote_id=str(chat_id), app_key=app_key(bot.id))
    made.refresh_from_db()
    bot.updates(allowed_updates=KINDS)
    post = live_post("Which beans do you like best?", to=made)
    with travel.at(HOUR + 30):
        append_updates(bot.id, bot.updates(allowed_updates=KINDS))
        handlers.handle_updates(bot.id)
        assert measure_due() == 1
    row = Snapshot.objects.get(post=post, age_s=HOUR)
    (shown,) = [one for one in telegram.messages(chat=chat_id) if str(one["message_id"]) == post.remote_id]
    assert row.metrics["reactions"] > 0
    assert row.metrics["reactions"] == sum(shown["reactions"].values())


# --- views --------------------------------------------------------------------------------------------------


@pytest.fixture
def session(in_workspace: Workspace, settings, monkeypatch, news) -> Chats:
    """A person's session that sees the channel."""
    settings.MTPROTO = True
    chats = Chats()
    monkeypatch.setattr(mtproto, "TelegramClient", client_for(chats))
    number = -int(news.remote_id) - 10**12
    chats.chats = [mtproto_channel(number)]
    UserSession.objects.create(workspace=in_workspace, name="Dana", api_id=1, api_hash="hash", session=new_session())
    return chats


def test_views_are_exact_through_a_session(live_post, news, session, reacted, measured_at):
    post = live_post(to=news)
    session.views[int(post.remote_id)] = 240
    reacted(post.remote_id, a=4)
    measured_at(QUARTER)
    rows = {row.source: row for row in Snapshot.objects.filter(post=post)}
    assert (rows["telegram.session"].metrics, rows["telegram.session"].kind) == ({"impressions": 240}, "exact")
    assert (rows["telegram.updates"].metrics, rows["telegram.updates"].kind) == ({"reactions": 4}, "delayed")
    post.refresh_from_db()
    assert (post.impressions, post.reactions) == (240, 4)
    assert "impressions" not in post.missing


def test_a_session_that_has_ended_leaves_the_channel_alone(live_post, news, session, reacted, measured_at):
    from telethon import errors

    post = live_post(to=news)
    reacted(post.remote_id, a=4)
    session.fault = errors.AuthKeyUnregisteredError(None)
    assert measured_at(QUARTER) == 1
    news.refresh_from_db()
    assert news.status == Connection.Status.ACTIVE
    row = Snapshot.objects.get(post=post)
    assert (row.metrics, row.missing["impressions"]) == ({"reactions": 4}, "needs_session")


def test_views_that_cannot_be_read_now_do_not_lose_the_reactions(live_post, news, session, reacted, measured_at):
    post = live_post(to=news)
    reacted(post.remote_id, a=4)
    session.fault = ConnectionError("away")
    assert measured_at(QUARTER, QUARTER + 61) == 0
    assert measured_at(QUARTER + 200) == 1
    row = Snapshot.objects.get(post=post, age_s=15 * MINUTE)
    assert (row.metrics, row.missing["impressions"]) == ({"reactions": 4}, "not_yet")


# --- joins --------------------------------------------------------------------------------------------------


@pytest.fixture
def invite(news, alice_actor, campaign_id):
    return create_invite_link(news, by=alice_actor, name="Spring", campaign_id=campaign_id)


@pytest.fixture
def campaign_id(in_workspace, alice_actor):
    from campaigns.services import create_campaign

    return create_campaign(by=alice_actor, name="Spring").pk


@pytest.fixture
def joined(update, news):
    def hear(url: str | None, before: str = "left", after: str = "member") -> None:
        change = {
            "chat": {"id": int(news.remote_id), "type": "channel"},
            "from": {"id": 5},
            "date": int(now().timestamp()),
            "old_chat_member": {"status": before, "user": {"id": 5}},
            "new_chat_member": {"status": after, "user": {"id": 5}},
        }
        update("chat_member", change | ({"invite_link": {"invite_link": url}} if url else {}))

    return hear


def test_a_join_counts_for_the_post_that_carries_the_link_and_its_campaign(live_post, invite, joined, campaign_id):
    post = live_post(f"Come in: {invite.url}")
    assert post.joins == 0
    joined(invite.url)
    joined(invite.url)
    post.refresh_from_db()
    invite.refresh_from_db()
    assert (post.joins, invite.joins) == (2, 2)
    rows = Event.objects.filter(workspace_id=post.workspace_id)
    assert {(row.kind, row.name, row.campaign_id, row.visitor) for row in rows} == {("custom", "join", campaign_id, "")}
    assert len(rows) == 2


def test_a_post_without_an_invite_link_has_no_joins(live_post, news):
    post = live_post(to=news)
    assert (post.joins, post.missing["joins"]) == (None, "not_here")


def test_only_who_comes_by_the_link_counts(live_post, invite, joined):
    post = live_post(f"Come in: {invite.url}")
    joined(None, "left", "member")
    joined(invite.url, "member", "left")
    joined(invite.url, "member", "administrator")
    post.refresh_from_db()
    assert post.joins == 0
    assert not Event.objects.exists()


def test_a_join_without_a_post_still_counts_for_the_campaign(invite, joined, campaign_id):
    joined(invite.url)
    assert Event.objects.get().campaign_id == campaign_id


# --- posts made elsewhere -----------------------------------------------------------------------------------


def test_what_others_write_in_the_channel_is_measured_too(wrote, news):
    wrote(77)
    post = MeasuredPost.objects.get()
    assert (post.part, post.remote_id, post.text, post.connection) == (None, "77", "Written by hand", news)
    assert post.url.endswith("/77")


def test_an_album_of_others_is_one_post(wrote):
    for number in (80, 81, 82):
        wrote(number, media_group_id="g1")
    wrote(83, media_group_id="g2")
    assert set(MeasuredPost.objects.values_list("remote_id", flat=True)) == {"80", "83"}


def test_our_own_posts_are_never_there_twice(publish, wrote, news):
    (part,) = publish("Ours", to=news)
    LivePart.objects.filter(pk=part.pk).update(remote_ids=[part.remote_id, "901", "902"])
    for number in (int(part.remote_id), 901, 902):
        wrote(number, "Ours")
    assert not MeasuredPost.objects.exists()
    adopt_live_parts()
    assert MeasuredPost.objects.get().part == part


def test_a_post_seen_before_its_receipt_becomes_ours(publish, wrote, news):
    """Another bot in the channel may tell of it before our own call has its answer."""
    (part,) = publish("Ours", to=news)
    for number in (903, 904):
        wrote(number)
    LivePart.objects.filter(pk=part.pk).update(remote_id="903", remote_ids=["903", "904"])
    adopt_live_parts()
    post = MeasuredPost.objects.get()
    assert (post.remote_id, post.part, post.delivery) == ("903", part, part.delivery)


def test_ages_end_after_thirty_days(live_post, news, measured_at):
    post = live_post(to=news)
    measured_at(*[age + 30 for age in AGES[:-1]], AGES[-1] - 2 * HOUR + 30)
    post.refresh_from_db()
    assert post.due_at is None
    assert Snapshot.objects.filter(post=post, age_s=30 * DAY).exists()
    assert post.published_at < now() + timedelta(days=31)
