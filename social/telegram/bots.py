"""Which bots a workspace may post with: the instance's, and its own."""

import re
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.access import Actor, Perm
from accounts.models import Workspace
from accounts.scope import workspace_scope
from social.models import Bot, BotChat, BotReceiver, Connection, Credential
from social.networks.port import Failure, NetworkError
from social.networks.telegram import api
from social.telegram import rights

TOKEN = re.compile(r"([0-9]{3,16}):[A-Za-z0-9_-]{10,200}")
NO_SUCH_BOT = "Telegram does not know this token. Copy it again from @BotFather."
MALFORMED = "This is not a bot token. One looks like 123456789:AAE… and comes from @BotFather."
FOREIGN = "Another workspace has added this bot. Remove it there first, or make a new bot with @BotFather."


@dataclass(frozen=True)
class KnownBot:
    """A bot with what is needed to call it. `own` is empty for the instance's."""

    bot_id: int
    username: str
    name: str
    token: str = field(repr=False)
    own: Bot | None = None

    def __str__(self) -> str:
        return f"@{self.username}" if self.username else "the instance's bot"

    @property
    def is_instance(self) -> bool:
        return self.own is None

    @property
    def app_key(self) -> str:
        return app_key(self.bot_id)


def app_key(bot_id: int) -> str:
    return f"bot:{bot_id}"


def bot_id_of(connection: Connection) -> int:
    return int(connection.app_key.partition(":")[2] or 0)


def instance_bot_id() -> int | None:
    found = TOKEN.fullmatch(settings.TELEGRAM_BOT_TOKEN)
    return int(found[1]) if found else None


def instance_bot() -> KnownBot | None:
    """Its name is empty until Telegram has told it: see `meet_instance_bot`."""
    bot_id = instance_bot_id()
    if bot_id is None:
        return None
    username = BotReceiver.objects.filter(bot_id=bot_id).values_list("username", flat=True).first() or ""
    return KnownBot(bot_id, username, "", settings.TELEGRAM_BOT_TOKEN)


def meet_instance_bot() -> None:
    """Ask Telegram once for the name of the instance's bot. Call it outside a transaction."""
    bot = instance_bot()
    if bot is None or bot.username:
        return
    me = api.get_me(bot.token)
    BotReceiver.objects.update_or_create(bot_id=bot.bot_id, defaults={"username": me.username, "workspace_id": None})


def own_bots(workspace: Workspace) -> list[KnownBot]:
    return [_known(bot) for bot in Bot.objects.filter(workspace=workspace)]


def usable_bots(workspace: Workspace) -> list[KnownBot]:
    shared = instance_bot()
    return [*([shared] if shared else []), *own_bots(workspace)]


def find_bot(workspace: Workspace, bot_id: int) -> KnownBot | None:
    return next((bot for bot in usable_bots(workspace) if bot.bot_id == bot_id), None)


def _known(bot: Bot) -> KnownBot:
    return KnownBot(bot.bot_id, bot.username, bot.name, bot.token, bot)


def token_for(bot_id: int) -> str:
    receiver = BotReceiver.objects.filter(bot_id=bot_id).first()
    return token_of(receiver) if receiver else ""


def token_of(receiver: BotReceiver) -> str:
    """Empty when the bot is gone."""
    if receiver.workspace_id is None:
        return settings.TELEGRAM_BOT_TOKEN if receiver.bot_id == instance_bot_id() else ""
    with workspace_scope(receiver.workspace_id):
        bot = Bot.objects.filter(bot_id=receiver.bot_id).first()
    return bot.token if bot else ""


# --- adding and removing ------------------------------------------------------------------------------------


def add_bot(token: str, *, by: Actor) -> Bot:
    """Keep a bot of the workspace's own; a new token of a known one replaces the old.

    Call it outside a transaction: it asks Telegram whose token this is.
    """
    by.require(Perm.CONNECTIONS)
    me = _owner_of(token := token.strip())
    with workspace_scope(by.workspace.pk):
        bot = _store_bot(me, token, by)
        BotReceiver.objects.update_or_create(
            bot_id=bot.bot_id, defaults={"workspace_id": by.workspace.pk, "username": bot.username, "polled_at": None}
        )
        rights.restore_connections(app_key(bot.bot_id))
        audit.record("bot.add", bot, by=by, username=bot.username)
    return bot


def _owner_of(token: str) -> api.BotUser:
    found = TOKEN.fullmatch(token)
    if not found:
        raise ValidationError({"token": MALFORMED})
    if int(found[1]) == instance_bot_id():
        raise ValidationError({"token": "This is the bot of this instance: choose it from the list."})
    try:
        return api.get_me(token)
    except NetworkError as error:
        text = NO_SUCH_BOT if error.failure in {Failure.UNAUTHORIZED, Failure.REJECTED} else error.message
        raise ValidationError({"token": text}) from error


def _store_bot(me: api.BotUser, token: str, by: Actor) -> Bot:
    try:
        with transaction.atomic():
            bot, _ = Bot.objects.update_or_create(
                workspace=by.workspace,
                bot_id=me.id,
                defaults={"username": me.username, "name": me.name[:120], "token": token},
            )
    except IntegrityError:
        # Row-level security hides the row of the other workspace; the unique index sees it.
        raise ValidationError({"token": FOREIGN}) from None
    return bot


def remove_bot(bot: Bot, *, by: Actor) -> None:
    """Forget the bot and its token. Call it outside a transaction: Telegram may have to stop calling us."""
    by.require(Perm.CONNECTIONS)
    receiver = BotReceiver.objects.filter(bot_id=bot.bot_id).first()
    with workspace_scope(by.workspace.pk):
        _forget_bot(bot, by)
    if receiver and receiver.webhook_secret_hash:
        _stop_calls(bot)


def _forget_bot(bot: Bot, by: Actor) -> None:
    in_use = Connection.objects.shown().filter(workspace=by.workspace, app_key=app_key(bot.bot_id)).count()
    if in_use:
        chats = "a chat" if in_use == 1 else f"{in_use} chats"
        raise ValidationError(f"{bot} still posts to {chats}. Disconnect first, then remove the bot.")
    # Of disconnected accounts whose turn has not come yet: there is nothing to revoke.
    Credential.objects.filter(bot=bot).delete()
    BotReceiver.objects.filter(bot_id=bot.bot_id).delete()
    BotChat.objects.filter(bot_id=bot.bot_id).delete()
    audit.record("bot.remove", bot, by=by, username=bot.username)
    Bot.objects.filter(pk=bot.pk).delete()


def _stop_calls(bot: Bot) -> None:
    try:
        api.delete_webhook(bot.token)
    except NetworkError:
        # Calls without a receiver are answered with 404, and Telegram gives up.
        return
