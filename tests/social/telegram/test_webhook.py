import json

import pytest
from django.test import Client

from social.models import BotReceiver, InboundUpdate
from social.telegram import receiver
from social.views.hooks import MAX_BYTES
from tests.social.telegram.conftest import BOT, BOT_ID

pytestmark = pytest.mark.django_db
URL = f"/hooks/telegram/{BOT_ID}"


@pytest.fixture
def webhook(telegram, settings) -> str:
    """Telegram calls us; the secret that it sends."""
    settings.TELEGRAM_WEBHOOKS = True
    telegram.hear()
    return receiver.webhook_secret(BOT_ID)


@pytest.fixture
def call(webhook):
    """Calls as Telegram does: without a session, from another site."""
    client = Client(enforce_csrf_checks=True)

    def post(number: int = 7, *, secret: str = webhook, url: str = URL, body: object = None) -> int:
        update = {
            "update_id": number,
            "message": {"text": "hi", "chat": {"id": 1, "type": "private"}, "from": {"id": 1}},
        }
        data = body if isinstance(body, str) else json.dumps(update if body is None else body)
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        return client.post(url, data, content_type="application/json", headers=headers).status_code

    return post


def at_telegram(telegram) -> dict:
    return next(bot for bot in telegram.sandbox.get("/telegram/bots")["bots"] if bot["username"] == BOT)


def kept() -> list[int]:
    return list(InboundUpdate.objects.values_list("update_id", flat=True))


def test_telegram_is_given_our_address_and_the_kinds_we_want(webhook, telegram, settings):
    found = at_telegram(telegram)
    assert found["webhook_url"] == f"{settings.BASE_URL}{URL}"
    assert set(found["allowed_updates"]) == set(receiver.KINDS)


def test_only_the_hash_of_the_secret_is_stored(webhook):
    stored = BotReceiver.objects.get(bot_id=BOT_ID).webhook_secret_hash
    assert len(stored) == 64
    assert webhook not in stored


def test_the_address_is_told_once(webhook, telegram):
    telegram.hear()
    calls = [entry for entry in telegram.sandbox.ledger() if entry["path"].endswith("/setWebhook")]
    assert len(calls) == 1


def test_another_address_of_ours_is_told_again(webhook, telegram, settings):
    settings.BASE_URL = "http://127.0.0.1:1"
    telegram.hear()
    assert at_telegram(telegram)["webhook_url"] == f"http://127.0.0.1:1{URL}"


def test_without_webhooks_telegram_is_asked_again(webhook, telegram, settings):
    settings.TELEGRAM_WEBHOOKS = False
    telegram.write("Hello", bot=BOT)
    telegram.hear()
    assert at_telegram(telegram)["webhook_url"] == ""
    assert len(kept()) == 1


def test_an_address_that_telegram_refuses_is_tried_again(telegram, settings):
    settings.TELEGRAM_WEBHOOKS = True
    settings.BASE_URL = "http://rostrum.example"
    telegram.hear()
    found = BotReceiver.objects.get(bot_id=BOT_ID)
    assert (found.webhook_secret_hash, bool(found.problem)) == ("", True)


def test_a_call_is_kept(call):
    assert call() == 200
    assert kept() == [7]


def test_a_call_that_comes_again_is_kept_once(call):
    assert [call(), call()] == [200, 200]
    assert kept() == [7]


def test_a_call_wakes_a_worker(call, celery_eager, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        call()
    assert InboundUpdate.objects.get().handled_at


@pytest.mark.parametrize("secret", ["", "wrong", "ü"])
def test_a_wrong_secret_learns_nothing(call, secret):
    assert call(secret=secret) == 404
    assert kept() == []


def test_the_secret_of_one_bot_opens_no_other(call, own_bot, telegram):
    telegram.hear()
    assert call(url=f"/hooks/telegram/{own_bot.bot_id}") == 404


def test_an_unknown_bot_answers_like_a_wrong_secret(call):
    assert call(url="/hooks/telegram/77") == 404
    assert call(url=f"/hooks/telegram/{10**40}") == 404


def test_a_polled_bot_takes_no_calls(telegram, client):
    secret = receiver.webhook_secret(BOT_ID)
    for given in (secret, ""):
        headers = {"X-Telegram-Bot-Api-Secret-Token": given}
        answer = client.post(URL, "{}", content_type="application/json", headers=headers)
        assert answer.status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_answered(webhook, client, method):
    assert getattr(client, method)(URL).status_code == 405


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "null", '{"message": {}}', '{"update_id": "7"}', f'{{"update_id": {2**63}}}', "[" * 2000],
)
def test_what_is_no_update_is_refused_and_not_kept(call, body):
    assert call(body=body) == 400
    assert kept() == []


def test_a_body_that_is_too_large_is_not_read(call):
    assert call(body={"update_id": 7, "message": "x" * MAX_BYTES}) == 400
    assert kept() == []
