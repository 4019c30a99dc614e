"""Photos, videos, animations, documents and albums."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.media_files import write_video
from tests.sandbox.cast import Sandbox, movie
from tests.sandbox.telegram_cast import Telegram, TelegramBot, picture


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", frames=24, fps=12, size=(160, 96)).read_bytes()


def test_a_photo_comes_in_several_sizes(bot: TelegramBot, channel: int) -> None:
    sizes = bot.photo(channel, picture((1000, 500)))["photo"]
    assert [(one["width"], one["height"]) for one in sizes] == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert len({one["file_id"] for one in sizes}) == 4


def test_a_photo_has_a_caption_with_entities_of_its_own(bot: TelegramBot, channel: int) -> None:
    sent = bot.photo(channel, caption="<b>Hi</b> #x", parse_mode="HTML", has_spoiler=True)
    assert (sent["caption"], sent["has_media_spoiler"]) == ("Hi #x", True)
    assert [one["type"] for one in sent["caption_entities"]] == ["bold", "hashtag"]
    assert "text" not in sent


@pytest.mark.parametrize("caption", ["x" * 1024, "🙂" * 512, ""])
def test_a_caption_has_up_to_1024_units(bot: TelegramBot, channel: int, caption: str) -> None:
    assert bot.photo(channel, caption=caption).get("caption", "") == caption


@pytest.mark.parametrize("caption", ["x" * 1025, "🙂" * 513])
def test_a_longer_caption_is_refused(bot: TelegramBot, channel: int, caption: str) -> None:
    refusal = bot.bad("sendPhoto", chat_id=channel, caption=caption, files={"photo": ("p.jpg", picture())})
    assert refusal == "message caption is too long"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a picture", "IMAGE_PROCESS_FAILED"),
        (b"", "file must be non-empty"),
        (picture((2001, 100)), "PHOTO_INVALID_DIMENSIONS"),
        (picture((6000, 4001)), "PHOTO_INVALID_DIMENSIONS"),
        (
            b"\xff" * (10 * 1024 * 1024 + 1),
            "file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes",
        ),
    ],
    ids=["bytes", "empty", "ratio", "sides", "size"],
)
def test_a_photo_keeps_the_limits(
    bot: TelegramBot, channel: int, telegram: Telegram, content: bytes, words: str
) -> None:
    assert bot.bad("sendPhoto", chat_id=channel, files={"photo": ("p.jpg", content)}) == words
    assert telegram.messages(chat=channel) == []


@pytest.mark.parametrize("size", [(2000, 100), (6000, 4000)])
def test_a_photo_may_reach_the_limits(bot: TelegramBot, channel: int, size: tuple[int, int]) -> None:
    assert bot.photo(channel, picture(size))["photo"][-1]["width"] == size[0]


def test_an_upload_beyond_50_megabytes_is_too_large(bot: TelegramBot, channel: int) -> None:
    content = b"\0" * (50 * 1024 * 1024 + 1)
    answer = bot.call("sendDocument", chat_id=channel, files={"document": ("big.bin", content)})
    assert (answer.status_code, answer.json()["description"]) == (413, "Request Entity Too Large")


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("", "there is no photo in the request"),
        ("nonsense", "wrong remote file identifier specified: Wrong string length"),
        ("https://example.com/a.jpg", "failed to get HTTP URL content"),
        ("attach://nothing", "there is no photo in the request"),
    ],
)
def test_a_photo_has_to_be_there(bot: TelegramBot, channel: int, photo: str, words: str) -> None:
    assert bot.bad("sendPhoto", chat_id=channel, photo=photo) == words


def test_a_file_is_sent_again_by_its_id(bot: TelegramBot, channel: int, telegram: Telegram) -> None:
    sizes = bot.photo(channel, picture((400, 300)))["photo"]
    again = bot.do("sendPhoto", chat_id=channel, photo=sizes[-1]["file_id"])
    smaller = bot.do("sendPhoto", chat_id=channel, photo=sizes[0]["file_id"])
    assert again["photo"] == smaller["photo"] == sizes
    assert len({message["media"]["sha256"] for message in telegram.messages(chat=channel)}) == 1


def test_a_file_of_another_kind_is_refused(bot: TelegramBot, channel: int) -> None:
    photo = bot.photo(channel)["photo"][-1]["file_id"]
    assert bot.bad("sendVideo", chat_id=channel, video=photo) == "can't use file of type Photo as Video"


def test_a_video_is_measured(bot: TelegramBot, channel: int, film: bytes) -> None:
    sent = bot.do("sendVideo", chat_id=channel, files={"video": ("f.mp4", film)}, supports_streaming=True)["video"]
    assert (sent["width"], sent["height"], sent["duration"]) == (160, 96, 2)
    assert (sent["mime_type"], sent["file_size"], sent["file_name"]) == ("video/mp4", len(film), "f.mp4")


def test_a_sender_may_say_how_large_a_video_is(bot: TelegramBot, channel: int) -> None:
    files = {"video": ("f.mp4", movie(3.0))}
    sent = bot.do("sendVideo", chat_id=channel, files=files, width=1280, height=720)["video"]
    assert (sent["width"], sent["height"], sent["duration"]) == (1280, 720, 3)


def test_what_is_no_mp4_is_no_video(bot: TelegramBot, channel: int) -> None:
    refusal = bot.bad("sendVideo", chat_id=channel, files={"video": ("f.mp4", b"nonsense" * 9)})
    assert refusal == "VIDEO_CONTENT_TYPE_INVALID"


def test_an_animation_is_a_document_too(bot: TelegramBot, channel: int) -> None:
    sent = bot.do("sendAnimation", chat_id=channel, files={"animation": ("a.gif", picture(kind="GIF"))})
    assert (sent["animation"]["width"], sent["document"]["mime_type"]) == (40, "image/gif")


def test_a_document_keeps_its_name(bot: TelegramBot, channel: int, telegram: Telegram) -> None:
    sent = bot.do("sendDocument", chat_id=channel, files={"document": ("Plan 2026.pdf", b"%PDF-1.7")})
    assert (sent["document"]["file_name"], sent["document"]["mime_type"]) == ("Plan 2026.pdf", "application/pdf")
    [kept] = telegram.messages(chat=channel)
    assert kept["media"]["sha256"] == hashlib.sha256(b"%PDF-1.7").hexdigest()


def test_a_file_is_downloaded_by_its_path(bot: TelegramBot, sandbox: Sandbox, channel: int) -> None:
    content = picture((50, 50))
    file_id = bot.photo(channel, content)["photo"][-1]["file_id"]
    path = bot.do("getFile", file_id=file_id)["file_path"]
    assert requests.get(f"{sandbox.url}/tg/file/bot{bot.token}/{path}", timeout=30).content == content


@pytest.mark.parametrize("path", ["photos/file_99.jpg", "photos/file_x.jpg", "videos/file_1.jpg"])
def test_a_path_that_leads_nowhere_is_not_found(bot: TelegramBot, sandbox: Sandbox, channel: int, path: str) -> None:
    bot.photo(channel)
    assert requests.get(f"{sandbox.url}/tg/file/bot{bot.token}/{path}", timeout=30).status_code == 404


def test_a_file_needs_the_token_of_a_bot(bot: TelegramBot, sandbox: Sandbox, channel: int) -> None:
    path = bot.do("getFile", file_id=bot.photo(channel)["photo"][-1]["file_id"])["file_path"]
    assert requests.get(f"{sandbox.url}/tg/file/bot1:wrong/{path}", timeout=30).status_code == 401


def test_an_unknown_file_id_is_refused(bot: TelegramBot) -> None:
    assert bot.bad("getFile", file_id="x") == "invalid file_id"


# Albums


def photos(count: int) -> list[dict[str, Any]]:
    return [{"type": "photo", "media": "attach://one", "caption": f"No. {number}"} for number in range(count)]


@pytest.mark.parametrize("count", [2, 10])
def test_an_album_has_two_to_ten_items(bot: TelegramBot, channel: int, count: int) -> None:
    sent = bot.album(channel, photos(count), one=picture()).json()["result"]
    assert [message["message_id"] for message in sent] == list(range(1, count + 1))
    assert [message["caption"] for message in sent] == [f"No. {number}" for number in range(count)]
    assert len({message["media_group_id"] for message in sent}) == 1


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (photos(1), "too few messages to send as an album"),
        (photos(11), "too many messages to send as an album"),
        ("", "there are no messages to send"),
        ("x", "can't parse media JSON object"),
        ({"type": "photo"}, "can't parse media JSON object"),
        ([{"type": "photo", "media": "attach://missing"}] * 2, "there is no photo in the request"),
        (
            [*photos(1), {"type": "document", "media": "attach://one"}],
            "document can't be mixed with other media types",
        ),
        ([*photos(1), {"type": "audio", "media": "attach://one"}], "audio can't be mixed with other media types"),
        (
            [*photos(1), {"type": "animation", "media": "attach://one"}],
            "can't parse InputMedia: type must be one of photo, video, document or audio",
        ),
        ([*photos(1), {"type": "photo", "media": 5}], 'field "media" must be of type String'),
        (
            [*photos(1), {"type": "photo", "media": "attach://one", "caption": "x" * 1025}],
            "message caption is too long",
        ),
        (
            [*photos(1), {"type": "photo", "media": "attach://one", "caption": "<x>", "parse_mode": "HTML"}],
            'can\'t parse entities: Unsupported start tag "x" at byte offset 0',
        ),
    ],
)
def test_an_album_with_one_mistake_sends_nothing(
    bot: TelegramBot, channel: int, telegram: Telegram, media: Any, words: str
) -> None:
    text = media if isinstance(media, str) else json.dumps(media)
    files = {"one": ("one.jpg", picture(), "image/jpeg")}
    assert bot.bad("sendMediaGroup", chat_id=channel, media=text, files=files) == words
    assert telegram.messages(chat=channel) == []


def test_an_album_mixes_photos_and_videos(bot: TelegramBot, channel: int, film: bytes) -> None:
    media = [
        {"type": "photo", "media": "attach://one"},
        {"type": "video", "media": "attach://two", "has_spoiler": True},
    ]
    first, second = bot.album(channel, media, one=picture(), two=film).json()["result"]
    assert "has_media_spoiler" not in first
    assert (second["video"]["width"], second["has_media_spoiler"]) == (160, True)


@pytest.mark.parametrize("kind", ["document", "audio"])
def test_documents_and_sounds_make_albums_among_themselves(bot: TelegramBot, channel: int, kind: str) -> None:
    media = [{"type": kind, "media": f"attach://{name}"} for name in ("one", "two")]
    sent = bot.album(channel, media, one=b"1", two=b"2").json()["result"]
    assert [kind in message for message in sent] == [True, True]


def test_an_album_is_sent_again_by_ids(bot: TelegramBot, channel: int) -> None:
    file_id = bot.photo(channel)["photo"][-1]["file_id"]
    media = [{"type": "photo", "media": file_id}] * 2
    assert len(bot.do("sendMediaGroup", chat_id=channel, media=media)) == 2


def test_an_album_is_one_row_of_the_ledger_naming_all_its_messages(
    bot: TelegramBot, sandbox: Sandbox, channel: int
) -> None:
    bot.album(channel, photos(3), one=picture())
    [entry] = sandbox.ledger(effect="message")
    assert (entry["effect_id"], entry["text"]) == (f"{channel}:1,2,3", "No. 0")


def test_a_caption_of_an_album_has_entities(bot: TelegramBot, channel: int) -> None:
    entity = {"type": "bold", "offset": 0, "length": 2}
    media = [{"type": "photo", "media": "attach://one", "caption": "No", "caption_entities": [entity]}, *photos(1)]
    assert bot.album(channel, media, one=picture()).json()["result"][0]["caption_entities"] == [entity]


def test_media_stays_on_disk_until_a_reset(bot: TelegramBot, channel: int, sandbox: Sandbox, tmp_path: Path) -> None:
    file_id = bot.photo(channel)["photo"][-1]["file_id"]
    sandbox.post("/reset")
    demo = Telegram(sandbox).demo_bot()
    assert demo.bad("getFile", file_id=file_id) == "invalid file_id"
