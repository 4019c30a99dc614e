"""Telegram behind the port: one chat or topic that a bot posts to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings

from social.networks.port import (
    Accepted,
    Account,
    Failure,
    NetworkError,
    OutgoingMedia,
    OutgoingPart,
    PostNumbers,
    Readings,
    RemotePost,
    Upload,
)
from social.networks.telegram import api
from social.networks.telegram.posting import IN_CHAT, what_to_do
from social.networks.telegram.wire import call, close_files, input_file

METHODS = {"image": ("sendPhoto", "photo"), "gif": ("sendAnimation", "animation"), "video": ("sendVideo", "video")}
PREVIEWS = {
    "off": {"is_disabled": True},
    "above": {"show_above_text": True},
    "large": {"prefer_large_media": True},
    "small": {"prefer_small_media": True},
}
# Twenty messages a minute in a group, one a second elsewhere: seconds that each message takes of the chat's time.
REST_S = {"group": 3.0, "supergroup": 3.0}
OTHER_REST_S = 1.0


class ChannelReader(Protocol):
    """What a bot cannot do: read a chat. Raises NetworkError."""

    def find_posts(
        self, chat_id: int, since: datetime, *, topic_id: int | None = None, sender_id: int | None = None
    ) -> list[RemotePost]: ...
    def views(self, chat_id: int, message_ids: Sequence[int]) -> dict[int, int]: ...


class TelegramClient:
    uploads_ahead = False

    def __init__(
        self, token: str, chat_id: int, topic_id: int | None = None, *, reader: ChannelReader | None = None
    ) -> None:
        self.token, self.chat_id, self.topic_id = token, chat_id, topic_id
        self.reader, self.can_read_posts = reader, reader is not None
        self.timeout_s = settings.TELEGRAM_TIMEOUT_S

    def __repr__(self) -> str:
        return f"<TelegramClient of {self.chat_id}>"

    def me(self) -> Account:
        """The chat, once it is known that the bot may post to it."""
        chat = api.get_chat(self.token, self.chat_id)
        if chat.kind != "private":
            self._check_rights(chat.kind, chat.id)
        return Account(
            remote_id=str(chat.id) if self.topic_id is None else f"{chat.id}:{self.topic_id}",
            handle=chat.username,
            name=chat.title,
            followers=api.get_chat_member_count(self.token, chat.id),
        )

    def _check_rights(self, kind: str, chat_id: int) -> None:
        member = api.get_chat_member(self.token, chat_id, api.get_me(self.token).id)
        if problem := what_to_do(kind, member):
            code = "not_admin" if member["status"] in IN_CHAT else "bot_kicked"
            raise NetworkError(Failure.UNAUTHORIZED, code, problem)

    def publish(self, part: OutgoingPart) -> Accepted:
        if part.poll:
            raise NetworkError(Failure.REJECTED, "no_polls", "Polls cannot be sent to Telegram yet.")
        if len(part.media) > 1:
            sent = self._send("sendMediaGroup", part, self._album(part))
        elif part.media:
            sent = [self._send(METHODS[part.media[0].kind][0], part, self._single(part))]
        else:
            sent = [self._send("sendMessage", part, self._text(part))]
        return self._accepted(sent)

    def _send(self, method: str, part: OutgoingPart, content: dict[str, Any]) -> Any:
        shared: dict[str, Any] = {
            "chat_id": self.chat_id,
            "message_thread_id": self.topic_id,
            "disable_notification": part.options.get("silent"),
            "protect_content": part.options.get("protect"),
            "reply_parameters": _reply(part),
        }
        try:
            return call(self.token, method, timeout_s=self.timeout_s, **shared, **content)
        finally:
            close_files(content)

    def _text(self, part: OutgoingPart) -> dict[str, Any]:
        return {
            "text": part.text,
            "entities": api.entities_json(part.entities),
            "link_preview_options": PREVIEWS.get(part.options.get("preview", "")),
            "reply_markup": _keyboard(part),
        }

    def _single(self, part: OutgoingPart) -> dict[str, Any]:
        media = part.media[0]
        field = METHODS[media.kind][1]
        return {
            **_caption(part),
            **_shape(media),
            field: input_file(media),
            "reply_markup": _keyboard(part),
        }

    def _album(self, part: OutgoingPart) -> dict[str, Any]:
        """The caption of the first item is that of the album. Telegram allows no buttons below one."""
        items, files = [], {}
        for number, media in enumerate(part.media):
            name = f"file{number}"
            items.append({"type": METHODS[media.kind][1], "media": f"attach://{name}", **_shape(media)})
            files[name] = input_file(media)
        items[0] |= _caption(part)
        return {"media": items, **files}

    def _accepted(self, sent: Any) -> Accepted:
        if not isinstance(sent, list) or not sent:
            sent = [None]
        messages = [api.message_from(one) for one in sent]
        first = messages[0]
        return Accepted(
            remote_id=str(first.id),
            url=first.url,
            http_status=200,
            request_id="",
            raw=str(sent)[:4000],
            remote_ids=tuple(str(message.id) for message in messages),
            rest_s=REST_S.get(first.chat_kind, OTHER_REST_S) * len(messages),
        )

    def pin(self, remote_id: str) -> None:
        api.pin_message(self.token, self.chat_id, _message_id(remote_id))

    def edit(self, remote_id: str, part: OutgoingPart) -> str:
        """Texts and captions; the media stay. A message that says so already counts as edited."""
        method, content = "editMessageText", self._text(part)
        if part.has_media or part.media:
            method, content = "editMessageCaption", _caption(part) | {"reply_markup": _keyboard(part)}
        try:
            call(self.token, method, chat_id=self.chat_id, message_id=_message_id(remote_id), **content)
        except NetworkError as error:
            if error.code != "not_modified":
                raise
        return remote_id

    def delete(self, remote_ids: Sequence[str]) -> None:
        api.delete_messages(self.token, self.chat_id, [_message_id(remote_id) for remote_id in remote_ids])

    def own_posts(self, since: datetime) -> list[RemotePost]:
        if self.reader is None:
            message = "A bot cannot read what it posted. Look at the chat and say whether the message is there."
            raise NetworkError(Failure.TEMPORARY, "cannot_read", message)
        bot_id = int(self.token.partition(":")[0])
        try:
            return self.reader.find_posts(self.chat_id, since, topic_id=self.topic_id, sender_id=bot_id)
        except NetworkError as error:
            if error.failure is not Failure.UNAUTHORIZED:
                raise
            # The person's session has ended, not the bot's right to post.
            raise NetworkError(Failure.TEMPORARY, error.code, error.message, raw=error.raw) from error

    def read_metrics(self, remote_ids: Sequence[str], *, with_private: bool = True) -> Readings:
        """Views, where somebody gave a session. A bot cannot ask for anything: reactions are told to it."""
        unread = Readings({pk: PostNumbers({}, {"impressions": "needs_session"}) for pk in remote_ids})
        if self.reader is None:
            return unread
        try:
            views = self.reader.views(self.chat_id, [_message_id(remote_id) for remote_id in remote_ids])
        except NetworkError as error:
            # The person's session has ended or sees no such chat; the bot is well.
            if error.failure not in {Failure.UNAUTHORIZED, Failure.REJECTED}:
                raise
            return unread
        return Readings({pk: _views_of(views.get(int(pk))) for pk in remote_ids})

    def read_timeline(self, since_id: str = "", since: datetime | None = None) -> list[RemotePost]:
        """What others write in a channel is told to the bot."""
        return []

    def read_followers(self) -> int:
        return api.get_chat_member_count(self.token, self.chat_id)

    def upload(self, media: OutgoingMedia) -> Upload:
        raise NotImplementedError("files travel with the message: uploads_ahead is False")

    def upload_state(self, remote_id: str) -> Upload:
        raise NotImplementedError("files travel with the message: uploads_ahead is False")

    def set_alt_text(self, remote_id: str, text: str) -> None:
        """Telegram has no descriptions of images."""


def _views_of(views: int | None) -> PostNumbers:
    """Groups count none; what is gone has none either."""
    return PostNumbers({}, {"impressions": "not_here"}) if views is None else PostNumbers({"impressions": views})


def _caption(part: OutgoingPart) -> dict[str, Any]:
    """Left out where there is none, which an edit reads as: no caption any more."""
    if not part.text:
        return {}
    return {"caption": part.text, "caption_entities": api.entities_json(part.entities)}


def _shape(media: OutgoingMedia) -> dict[str, Any]:
    """Without it, videos are shown as squares until they are loaded."""
    if media.kind == "image":
        return {}
    facts = {"width": media.width, "height": media.height, "duration": round(media.duration_ms / 1000)}
    if media.kind == "video":
        facts["supports_streaming"] = True
    return {name: fact for name, fact in facts.items() if fact}


def _keyboard(part: OutgoingPart) -> dict[str, Any] | None:
    return api.keyboard_json(part.options.get("buttons", ())) if part.is_last else None


def _reply(part: OutgoingPart) -> dict[str, Any] | None:
    return {"message_id": _message_id(part.reply_to)} if part.reply_to else None


def _message_id(remote_id: str) -> int:
    if not remote_id.isdecimal():
        raise NetworkError(Failure.REJECTED, "invalid", f"“{remote_id[:40]}” is no message on Telegram.")
    return int(remote_id)
