from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.access import Actor
from accounts.models import Workspace
from campaigns import deliveries, live_changes
from campaigns.engine import dispatch
from campaigns.engine.look_up import look_up_delivery
from campaigns.engine.publish import publish_delivery
from campaigns.library import add_upload
from campaigns.models import Delivery, LiveChange, LivePart, MediaAsset
from campaigns.services import PartDraft, PostDraft, create_post
from compliance.models import Review
from compliance.services import approve_review
from lib import clock
from social.models import Connection, Credential, Network
from tests.campaigns.engine.rows import EDITED
from tests.sandbox.cast import Sandbox
from tests.sandbox.telegram_cast import Telegram
from tests.social.conftest import begin, connected, connection, sandbox, sandbox_process  # noqa: F401


@pytest.fixture(autouse=True)
def quick_engine(settings) -> None:
    settings.X_TIMEOUT_S = 1
    settings.LATE_ACCEPT_S, settings.READ_LAG_S = 20, 10
    settings.RETRY_BASE_S, settings.RETRY_LIMIT = 10, 3


@pytest.fixture
def draft(in_workspace: Workspace, alice_actor: Actor, connection: Connection) -> Callable[..., Delivery]:  # noqa: F811
    """A post of these parts (text, or text and media) to the connection."""

    def make(*parts: str | PartDraft, to: Connection | None = None, **fields) -> Delivery:
        built = tuple(PartDraft(part) if isinstance(part, str) else part for part in parts)
        post = create_post(PostDraft(built, connections=((to or connection).pk,), **fields), by=alice_actor)
        return Delivery.objects.get(post=post)

    return make


@pytest.fixture
def approve(alice_actor: Actor, rita_actor: Actor) -> Callable[[Delivery], Delivery]:
    def run(delivery: Delivery) -> Delivery:
        deliveries.submit_post(delivery.post, by=alice_actor)
        review = Review.objects.get(object_id=delivery.pk, status="waiting")
        approve_review(review, by=rita_actor, seen_hash=review.action_hash)
        return Delivery.objects.get(pk=delivery.pk)

    return run


@pytest.fixture
def due(draft, approve, alice_actor: Actor) -> Callable[..., Delivery]:
    """An approved delivery that wants to go out now."""

    def make(*parts: str | PartDraft, **fields) -> Delivery:
        return deliveries.publish_now(approve(draft(*parts, **fields)), by=alice_actor)

    return make


@pytest.fixture
def tick() -> Callable[..., dispatch.Tick]:
    """One round of the engine, `later` seconds from now, with the work it hands out done at once."""

    def run(later: float = 0) -> dispatch.Tick:
        with clock.shifted(timedelta(seconds=later)):
            found = dispatch.tick()
            for workspace_id, delivery_id, fence in found.publish:
                publish_delivery(workspace_id, delivery_id, fence)
            for workspace_id, delivery_id in found.look_up:
                look_up_delivery(workspace_id, delivery_id)
        return found

    return run


@pytest.fixture
def claim() -> Callable[[], tuple[UUID, UUID, int]]:
    """Claims the one delivery that is due, and leaves it in the hands of nobody."""

    def run() -> tuple[UUID, UUID, int]:
        (claimed,) = dispatch.tick().publish
        return claimed

    return run


@pytest.fixture
def reload() -> Callable[[Delivery], Delivery]:
    return lambda delivery: Delivery.objects.select_related("connection").get(pk=delivery.pk)


@pytest.fixture
def live(sandbox: Sandbox) -> Callable[[], list[str]]:  # noqa: F811
    """The texts that are really on X, oldest first."""
    return lambda: [post["text"] for post in sandbox.posts("roastery") if not post["deleted"]]


@pytest.fixture
def picture(in_workspace: Workspace, alice_actor: Actor) -> Callable[..., MediaAsset]:
    def make(colour: str = "plum") -> MediaAsset:
        file = BytesIO()
        Image.new("RGB", (64, 48), colour).save(file, "PNG")
        return add_upload(SimpleUploadedFile(f"{colour}.png", file.getvalue(), "image/png"), by=alice_actor)

    return make


# --- Telegram ---------------------------------------------------------------------------------------------------


@pytest.fixture
def telegram(sandbox: Sandbox, settings) -> Telegram:  # noqa: F811
    settings.TELEGRAM_API_BASE_URL = f"{sandbox.url}/tg"
    settings.TELEGRAM_WEB_BASE_URL = f"{sandbox.url}/tg/web"
    settings.TELEGRAM_TIMEOUT_S = 2
    return Telegram(sandbox)


@pytest.fixture
def bot(telegram, settings):
    made = telegram.bot("roastery_bot")
    settings.TELEGRAM_BOT_TOKEN = made.token
    return made


@pytest.fixture
def chat(telegram, bot, in_workspace) -> Callable[..., Connection]:
    def make(kind: str = "channel", **fields) -> Connection:
        chat_id = telegram.chat(kind, username=fields.pop("username", ""), bots={str(bot.id): "administrator"})
        made = Connection.objects.create(
            workspace=in_workspace, network=Network.TELEGRAM, remote_id=str(chat_id), kind=kind, name="News", **fields
        )
        Credential.objects.create(workspace=in_workspace, connection=made, kind=Credential.Kind.BOT)
        return made

    return make


@pytest.fixture
def channel(chat):
    return chat()


@pytest.fixture
def sent(telegram) -> Callable[[], list[dict]]:
    """What the bot has sent; the forum of the demo holds a service message of its own."""
    return lambda: [message for message in telegram.messages() if not message["service"]]


# --- what is live -----------------------------------------------------------------------------------------------


@pytest.fixture
def publish(due, tick):
    """Publishes these parts and gives back what is live of them."""

    def run(*parts, **fields) -> list[LivePart]:
        delivery = due(*parts, **fields)
        tick()
        return list(delivery.live_parts.all())

    return run


@pytest.fixture
def work():
    """One round of the worker that changes what is live."""

    def run(later: float = 0) -> int:
        with clock.shifted(timedelta(seconds=later)):
            found = live_changes.due_changes()
            for workspace_id, change_id in found:
                live_changes.make_change(workspace_id, change_id)
        return len(found)

    return run


@pytest.fixture
def edit(alice_actor):
    return lambda part, text=EDITED: live_changes.request_edit(part, text, by=alice_actor)


@pytest.fixture
def take_down(alice_actor):
    return lambda part: live_changes.take_down(part, by=alice_actor)


@pytest.fixture
def approved(edit, rita_actor):
    """An edit that somebody else has approved."""

    def run(part, text=EDITED) -> LiveChange:
        change = edit(part, text)
        review = Review.objects.get(object_id=change.pk)
        approve_review(review, by=rita_actor, seen_hash=review.action_hash)
        return LiveChange.objects.get(pk=change.pk)

    return run


@pytest.fixture
def premium(sandbox: Sandbox, in_workspace: Workspace, connection: Connection) -> Connection:  # noqa: F811
    sandbox.post("/accounts", handle="roastery", premium=True)
    Connection.objects.filter(pk=connection.pk).update(is_premium=True)
    return connection


@pytest.fixture
def on_x(sandbox: Sandbox) -> Callable[[], list[str]]:  # noqa: F811
    """What a visitor of the account sees: the newest version of what is not deleted."""
    return lambda: [post["text"] for post in sandbox.posts("roastery") if not (post["deleted"] or post["replaced_by"])]
