from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AuditEntry, Membership
from accounts.scope import workspace_scope
from lib.clock import shifted
from social.models import TelegramCode, TelegramLink
from social.tasks import forget_updates
from social.telegram.codes import Purpose, create_code, hash_code, use_code
from social.telegram.commands import parse_command
from tests.social.telegram.conftest import BOT, BOT_ID

pytestmark = pytest.mark.django_db


def codes(workspace) -> list[TelegramCode]:
    with workspace_scope(workspace.pk):
        return list(TelegramCode.objects.all())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/start", ("/start", "")),
        ("/start link-ABC", ("/start", "link-ABC")),
        ("/Connect@demo_rostrum_bot  ABCD-EFGH ", ("/connect", "ABCD-EFGH")),
        ("hello /start", ("", "")),
        ("", ("", "")),
        ("/", ("/", "")),
    ],
)
def test_a_command_is_a_word_and_the_rest(text, found):
    assert parse_command(text) == found


# --- codes --------------------------------------------------------------------------------------------------


def test_only_the_hash_of_a_code_is_stored(telegram, new_code, alice_actor, workspace):
    text = new_code(alice_actor)
    assert [code.code_hash for code in codes(workspace)] == [hash_code(text)]
    assert text not in str(codes(workspace)[0].__dict__)


def test_a_code_is_read_however_it_is_typed(telegram, new_code, alice_actor):
    text = new_code(alice_actor)
    assert use_code(f" {text.replace('-', '').lower()} ", Purpose.CONNECT, BOT_ID)


def test_a_code_works_once(telegram, new_code, alice_actor):
    text = new_code(alice_actor)
    assert use_code(text, Purpose.CONNECT, BOT_ID)
    assert use_code(text, Purpose.CONNECT, BOT_ID) is None


def test_a_code_ends_after_a_quarter_of_an_hour(telegram, new_code, alice_actor):
    text = new_code(alice_actor)
    with shifted(timedelta(minutes=16)):
        assert use_code(text, Purpose.CONNECT, BOT_ID) is None


def test_a_code_is_for_one_purpose_and_one_bot(telegram, new_code, alice_actor):
    text = new_code(alice_actor)
    assert use_code(text, Purpose.LINK, BOT_ID) is None
    assert use_code(text, Purpose.CONNECT, BOT_ID + 1) is None
    assert use_code("AAAA-AAAA-AAAA", Purpose.CONNECT, BOT_ID) is None
    assert use_code("", Purpose.CONNECT, BOT_ID) is None


def test_an_editor_gets_no_code_for_a_chat(telegram, new_code, bob_actor):
    with pytest.raises(PermissionDenied):
        new_code(bob_actor)


def test_everybody_gets_a_code_for_themselves(telegram, vic_actor, workspace):
    with workspace_scope(workspace.pk):
        assert create_code(Purpose.LINK, BOT_ID, by=vic_actor).text


def test_codes_that_prove_nothing_any_more_are_deleted(telegram, new_code, alice_actor, workspace):
    new_code(alice_actor)
    with shifted(timedelta(hours=2)):
        forget_updates()
    assert codes(workspace) == []


# --- a person's own account ---------------------------------------------------------------------------------


@pytest.fixture
def link(telegram, new_code):
    """Sends a code for linking to the bot, as somebody."""

    def send(actor, sender: str = "dana") -> str:
        telegram.write(f"/start link-{new_code(actor, purpose='link')}", bot=BOT, sender=sender)
        telegram.hear()
        return telegram.texts(sender)[-1]

    return send


def test_a_code_links_the_person_who_asked_for_it(link, alice_actor, alice):
    assert "Linked with Alice" in link(alice_actor)
    found = TelegramLink.objects.get()
    assert (found.user, found.username, found.name, found.bot_id) == (alice, "dana", "Dana", BOT_ID)


def test_linking_is_audited(link, alice_actor, workspace):
    link(alice_actor)
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="telegram.link").count() == 1


def test_the_answer_says_whose_account_it_is_now(link, alice_actor):
    assert "alice@example.org" in link(alice_actor)


def test_a_wrong_code_links_nobody(telegram):
    telegram.write("/start link-AAAA-BBBB-CCCC", bot=BOT)
    telegram.hear()
    assert "no longer valid" in telegram.texts("dana")[-1]
    assert not TelegramLink.objects.exists()


def test_a_code_for_a_chat_links_nobody(telegram, new_code, alice_actor):
    telegram.write(f"/start link-{new_code(alice_actor)}", bot=BOT)
    telegram.hear()
    assert not TelegramLink.objects.exists()


def test_a_telegram_account_belongs_to_one_person(link, alice_actor, bob_actor, alice):
    link(alice_actor)
    assert "linked with somebody else" in link(bob_actor)
    assert TelegramLink.objects.get().user == alice


def test_a_person_has_one_telegram_account_the_last(link, telegram, alice_actor):
    telegram.user("dora")
    link(alice_actor)
    link(alice_actor, sender="dora")
    assert TelegramLink.objects.get().username == "dora"


def test_who_has_left_the_workspace_is_not_linked(telegram, new_code, bob_actor, bob):
    text = new_code(bob_actor, purpose="link")
    Membership.objects.filter(user=bob).delete()
    telegram.write(f"/start link-{text}", bot=BOT)
    telegram.hear()
    assert not TelegramLink.objects.exists()


def test_unlinking_works_from_telegram(link, telegram, alice_actor):
    link(alice_actor)
    telegram.write("/unlink", bot=BOT)
    telegram.hear()
    assert "not linked any more" in telegram.texts("dana")[-1]
    assert not TelegramLink.objects.exists()


def test_a_plain_start_is_greeted(telegram):
    telegram.write("/start", bot=BOT)
    telegram.hear()
    assert "publishes for Rostrum" in telegram.texts("dana")[-1]


def test_what_is_no_command_is_not_answered(telegram):
    telegram.write("Good morning", bot=BOT)
    telegram.hear()
    assert telegram.texts("dana") == ["Good morning"]


def test_a_person_who_blocks_the_bot_at_once_breaks_nothing(telegram, new_code, alice_actor):
    telegram.write(f"/start link-{new_code(alice_actor, purpose='link')}", bot=BOT)
    telegram.sandbox.post("/telegram/block", user="dana", bot=BOT)
    telegram.hear()
    assert TelegramLink.objects.count() == 1


# --- a chat -------------------------------------------------------------------------------------------------


@pytest.fixture
def post_code(telegram, new_code, alice_actor, workspace):
    """Posts a code in a chat; answers the chat that the code stands for then."""

    def post(chat: int, sender: str = "dana", command: str = "/connect") -> int | None:
        telegram.hear()
        telegram.write(f"{command} {new_code(alice_actor)}", chat=chat, sender=sender)
        telegram.hear()
        return codes(workspace)[-1].chat_id

    return post


@pytest.mark.parametrize("kind", ["channel", "group", "supergroup"])
def test_a_code_stands_for_the_chat_in_which_an_admin_posts_it(telegram, post_code, kind):
    chat = telegram.chat(kind, bots=[BOT])
    assert post_code(chat) == chat


@pytest.mark.parametrize("command", ["/start", f"/start@{BOT}", f"/connect@{BOT}"])
def test_add_to_group_brings_the_code_along(telegram, post_code, command):
    chat = telegram.chat("supergroup", bots=[BOT])
    assert post_code(chat, command=command) == chat


def test_who_is_no_admin_cannot_offer_a_group(telegram, post_code):
    telegram.user("eve")
    chat = telegram.chat("supergroup", members={"dana": "creator", "eve": "member"}, bots=[BOT])
    assert post_code(chat, sender="eve") is None
    assert telegram.texts(chat)[-1] == "Only an admin of this chat can connect it."


def test_a_code_that_a_stranger_misused_still_works_for_an_admin(telegram, new_code, alice_actor, workspace):
    telegram.user("eve")
    chat = telegram.chat("supergroup", members={"dana": "creator", "eve": "member"}, bots=[BOT])
    text = new_code(alice_actor)
    for sender in ("eve", "dana"):
        telegram.write(f"/connect {text}", chat=chat, sender=sender)
        telegram.hear()
    assert codes(workspace)[0].chat_id == chat


def test_a_group_is_thanked_and_a_channel_is_left_in_peace(telegram, post_code):
    group, channel = (telegram.chat(kind, bots=[BOT]) for kind in ("supergroup", "channel"))
    post_code(group)
    post_code(channel)
    assert "Go back to Rostrum" in telegram.texts(group)[-1]
    assert len(telegram.texts(channel)) == 1


def test_an_old_code_is_answered_politely(telegram):
    chat = telegram.chat("supergroup", bots=[BOT])
    telegram.write("/connect AAAA-BBBB-CCCC", chat=chat)
    telegram.hear()
    assert "no longer valid" in telegram.texts(chat)[-1]


def test_a_telegram_that_cannot_say_who_is_admin_proves_nothing(telegram, post_code):
    chat = telegram.chat("supergroup", bots=[BOT])
    telegram.fault("status", "getChatMember", status=500)
    assert post_code(chat) is None
