"""Keeping sessions of people: who may, what is stored, and one process at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection as database
from telethon import errors

from accounts.access import Actor
from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from lib.clock import now, shifted
from social import user_sessions
from social.models import UserSession
from social.networks.port import Failure, NetworkError
from social.networks.telegram import mtproto
from social.user_sessions import add_session, leased, pause_session, remove_session, resume_session
from tests.social.mtproto_chats import CHANNEL_ID, START, Chats, chat_id, client_for, new_session

SESSION = new_session()
Status = UserSession.Status


@pytest.fixture
def chats(monkeypatch, settings) -> Chats:
    settings.MTPROTO = True
    chats = Chats()
    monkeypatch.setattr(mtproto, "TelegramClient", client_for(chats))
    return chats


@pytest.fixture
def session(chats, alice_actor) -> UserSession:
    return add_session("Dana", 1, "hash-of-api", SESSION, by=alice_actor)


@pytest.fixture
def reload(workspace):
    def load(row: UserSession) -> UserSession:
        with workspace_scope(workspace.pk):
            return UserSession.objects.get(pk=row.pk)

    return load


def failure_of(call, *args) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        call(*args)
    return caught.value


def actions(workspace) -> list[str]:
    with workspace_scope(workspace.pk):
        return list(AuditEntry.objects.filter(workspace=workspace).order_by("number").values_list("action", flat=True))


def use(row: UserSession) -> None:
    user_sessions.open_reader(row).find_posts(chat_id(CHANNEL_ID), START)


# --- adding ---------------------------------------------------------------------------------------------------


def test_a_session_is_kept_after_telegram_answered_to_it(session, chats, reload):
    assert chats.asked == ["GetUsersRequest"]
    assert (reload(session).session, reload(session).status) == (SESSION, Status.ACTIVE)


def test_neither_key_nor_session_is_stored_in_clear(session, workspace):
    with workspace_scope(workspace.pk), database.cursor() as cursor:
        cursor.execute("SELECT * FROM social_usersession")
        stored = " ".join(
            bytes(value).hex() if isinstance(value, memoryview) else str(value) for value in cursor.fetchone()
        )
    assert SESSION not in stored
    assert SESSION.encode().hex() not in stored
    assert "hash-of-api" not in stored


def test_where_the_operator_says_no_none_is_kept(chats, settings, alice_actor):
    settings.MTPROTO = False
    with pytest.raises(ValidationError, match="operator"):
        add_session("Dana", 1, "hash", SESSION, by=alice_actor)
    assert chats.asked == []


@pytest.mark.parametrize("text", ["", "nonsense", "1abc", SESSION[:-8], "2" + SESSION[1:]])
def test_what_is_no_session_is_refused_beside_the_field(chats, alice_actor, text):
    with pytest.raises(ValidationError) as caught:
        add_session("Dana", 1, "hash", text, by=alice_actor)
    assert list(caught.value.message_dict) == ["session"]


def test_a_session_that_was_ended_is_refused_beside_the_field(chats, alice_actor):
    chats.fault = errors.AuthKeyUnregisteredError(None)
    with pytest.raises(ValidationError) as caught:
        add_session("Dana", 1, "hash", SESSION, by=alice_actor)
    assert caught.value.message_dict == {"session": [mtproto.ENDED]}


def test_a_session_needs_a_name(chats, alice_actor):
    with pytest.raises(ValidationError, match="name"):
        add_session(" ", 1, "hash", SESSION, by=alice_actor)


@pytest.mark.parametrize("act", [remove_session, pause_session, resume_session])
def test_editors_may_not_touch_sessions(session, bob_actor: Actor, act):
    with pytest.raises(PermissionDenied):
        act(session, by=bob_actor)


def test_editors_may_not_add_any(chats, bob_actor: Actor):
    with pytest.raises(PermissionDenied):
        add_session("Dana", 1, "hash", SESSION, by=bob_actor)


def test_each_act_is_on_the_record_once(session, workspace, alice_actor):
    assert pause_session(session, by=alice_actor) is True
    assert pause_session(session, by=alice_actor) is False
    assert resume_session(session, by=alice_actor) is True
    remove_session(session, by=alice_actor)
    remove_session(session, by=alice_actor)
    mine = [action for action in actions(workspace) if action.startswith("user_session.")]
    assert mine == ["user_session.add", "user_session.pause", "user_session.resume", "user_session.remove"]


def test_a_stranger_removes_nothing(session, reload, charlie_actor):
    remove_session(session, by=charlie_actor)
    assert reload(session).status == Status.ACTIVE


# --- using ----------------------------------------------------------------------------------------------------


def test_a_session_is_free_again_after_its_call(session, reload):
    use(session)
    assert (reload(session).lease_until, reload(session).lease_holder) == (None, "")


def test_while_one_process_uses_it_another_waits(session, chats, workspace):
    with leased(workspace.pk, session.pk):
        error = failure_of(use, session)
    assert (error.failure, error.code) == (Failure.TEMPORARY, "session_busy")


def test_a_process_that_died_holds_it_no_longer_than_its_lease(session, workspace, settings):
    user_sessions._take(workspace.pk, session.pk, "dead")
    failure_of(use, session)
    with shifted(timedelta(seconds=2 * settings.TELEGRAM_TIMEOUT_S + 1)):
        use(session)


def test_who_comes_too_late_does_not_end_anothers_lease(session, workspace, reload, settings):
    later = timedelta(seconds=2 * settings.TELEGRAM_TIMEOUT_S + 1)
    with leased(workspace.pk, session.pk), shifted(later):
        user_sessions._take(workspace.pk, session.pk, "another")
    assert reload(session).lease_holder == "another"


def test_a_flood_is_waited_out_without_asking_again(session, chats, reload):
    chats.fault = errors.FloodWaitError(request=None, capture=90)
    failure_of(use, session)
    asked, chats.fault = len(chats.asked), None
    error = failure_of(use, session)
    assert (error.failure, len(chats.asked)) == (Failure.RATE_LIMIT, asked)
    assert error.retry_at == reload(session).flood_until > now()
    with shifted(timedelta(seconds=91)):
        use(session)


def test_an_ended_session_is_marked_and_never_used_again(session, chats, reload):
    chats.fault = errors.AuthKeyDuplicatedError(None)
    failure_of(use, session)
    assert (reload(session).status, reload(session).status_text) == (Status.BROKEN, mtproto.ENDED)
    asked = len(chats.asked)
    assert failure_of(use, session).code == "session_busy"
    assert len(chats.asked) == asked


def test_a_paused_session_is_not_used(session, chats, alice_actor):
    pause_session(session, by=alice_actor)
    assert failure_of(use, session).failure is Failure.TEMPORARY


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_it(session, workspace):
    def take(holder: int) -> bool:
        try:
            user_sessions._take(workspace.pk, session.pk, str(holder))
        except NetworkError:
            return False
        finally:
            database.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1
