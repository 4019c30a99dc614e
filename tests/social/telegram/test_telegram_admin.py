import pytest

from lib.clock import now
from social.models import BotReceiver, InboundUpdate
from tests.social.telegram.conftest import BOT_ID

pytestmark = pytest.mark.django_db
UPDATES = "/admin/social/inboundupdate/"


@pytest.fixture
def parked(db) -> InboundUpdate:
    payload = {"update_id": 1, "message": {"text": "my secret"}}
    return InboundUpdate.objects.create(
        bot_id=BOT_ID, update_id=1, kind="message", payload=payload, handled_at=now(), failures=3, problem="KeyError"
    )


def again(client, *updates: InboundUpdate) -> None:
    chosen = {"action": "handle_again", "_selected_action": [update.pk for update in updates]}
    assert client.post(UPDATES, chosen).status_code == 302


def test_staff_see_which_bot_is_not_heard(telegram, staff_client):
    BotReceiver.objects.update(problem="Telegram was away.")
    assert "Telegram was away." in staff_client.get("/admin/social/botreceiver/").content.decode()


def test_staff_see_what_was_given_up_but_not_what_people_wrote(parked, staff_client):
    page = staff_client.get(UPDATES).content.decode()
    page += staff_client.get(f"{UPDATES}{parked.pk}/change/").content.decode()
    assert "KeyError" in page
    assert "my secret" not in page


def test_what_was_given_up_is_handled_again(parked, staff_client):
    again(staff_client, parked)
    parked.refresh_from_db()
    assert (parked.handled_at, parked.failures, parked.problem) == (None, 0, "")


def test_what_went_well_is_not_done_twice(parked, staff_client):
    InboundUpdate.objects.update(problem="", failures=0)
    again(staff_client, parked)
    parked.refresh_from_db()
    assert parked.handled_at
