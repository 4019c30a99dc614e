from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from accounts.models import AuditEntry
from accounts.scope import workspace_scope
from agents.memory import brand_of
from agents.memory.blocks import write_block
from personal.models import Preference
from personal.preferences import StalePreferences, change_preferences, get_preferences, replace_preferences
from social.models import TelegramLink

ALL = {
    "language": "zh",
    "personality": "Dry humour.",
    "profile": "我在汉堡开咖啡店。",
    "manner": "Short answers.",
    "interests": ["Coffee", "春季豆子"],
    "channels": ["mail", "in_app"],
}


@pytest.mark.django_db
def test_nobody_has_to_choose_anything(in_workspace, vic_actor) -> None:
    found = get_preferences(vic_actor)
    assert (found.language, found.channels, found.interests, found.version) == ("en", ("in_app",), (), "0-0-0-0")
    assert not Preference.objects.exists()


@pytest.mark.django_db
def test_what_was_chosen_is_kept_in_one_place(in_workspace, alice, alice_actor, bob_actor) -> None:
    found = change_preferences(by=alice_actor, **ALL)
    assert found == get_preferences(alice_actor)
    assert (found.language, found.channels) == ("zh", ("in_app", "mail"))
    assert found.version == "1-1-1-1"
    told = brand_of(in_workspace, alice).as_text()
    assert "## Personality\nDry humour." in told
    assert "## About me\n我在汉堡开咖啡店。" in told
    assert "Dry humour." not in brand_of(in_workspace, bob_actor.user).as_text()
    assert get_preferences(bob_actor).personality == ""
    entry = AuditEntry.objects.filter(action="preferences.change").get()
    assert "Dry humour" not in str(entry.__dict__)


@pytest.mark.django_db
def test_the_same_again_is_no_change(in_workspace, alice_actor) -> None:
    first = change_preferences(by=alice_actor, **ALL)
    assert change_preferences(by=alice_actor, **ALL) == first


@pytest.mark.django_db
def test_a_change_elsewhere_makes_a_version_old(in_workspace, alice_actor) -> None:
    seen = change_preferences(by=alice_actor, **ALL).version
    write_block("preferences", "Long answers.", by=alice_actor)
    with pytest.raises(StalePreferences):
        change_preferences(by=alice_actor, expected=seen, language="en")
    assert get_preferences(alice_actor).language == "zh"
    fresh = get_preferences(alice_actor)
    assert fresh.manner == "Long answers."
    assert change_preferences(by=alice_actor, expected=fresh.version, language="en").language == "en"


@pytest.mark.django_db
def test_replacing_takes_back_what_is_left_out(in_workspace, alice_actor) -> None:
    change_preferences(by=alice_actor, **ALL)
    found = replace_preferences(by=alice_actor, language="zh")
    assert (found.language, found.personality, found.interests, found.channels) == ("zh", "", (), ("in_app",))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "tlh"),
        ("channels", ["pigeon"]),
        ("channels", ["telegram"]),
        ("interests", ["x" * 61]),
        ("interests", [str(number) for number in range(21)]),
        ("personality", "x" * 501),
        ("profile", "x" * 2_001),
    ],
)
def test_a_refusal_names_its_field_and_changes_nothing(in_workspace, alice_actor, field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        change_preferences(by=alice_actor, **{"manner": "Kept?", field: value})
    assert list(refused.value.error_dict) == [field]
    assert get_preferences(alice_actor).manner == ""


@pytest.mark.django_db
def test_telegram_wants_a_linked_account(in_workspace, alice, alice_actor) -> None:
    TelegramLink.objects.create(user=alice, telegram_user_id=7, bot_id=1)
    assert change_preferences(by=alice_actor, channels=["telegram"]).channels == ("telegram",)


@pytest.mark.django_db
def test_guests_have_no_corner(in_workspace, gwen_actor) -> None:
    with pytest.raises(PermissionDenied):
        get_preferences(gwen_actor)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_start_from_the_same_version_one_wins(workspace, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        seen = get_preferences(alice_actor).version

    def change(text: str) -> str:
        try:
            with workspace_scope(workspace.pk):
                change_preferences(by=alice_actor, expected=seen, manner=text)
            return text
        except StalePreferences:
            return ""
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        won = [text for text in pool.map(change, ["a", "b", "c", "d"]) if text]
    with workspace_scope(workspace.pk):
        assert [get_preferences(alice_actor).manner] == won
