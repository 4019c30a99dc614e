import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from lib.clock import now
from social.networks.port import Failure, NetworkError, OutgoingMedia, OutgoingPart, RemotePost
from social.networks.x.client import CHUNK_BYTES, XClient
from tests.sandbox.cast import movie, picture

pytestmark = pytest.mark.usefixtures("sandbox")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def account(sandbox):
    return sandbox.sign_in("roastery")


@pytest.fixture
def client(account) -> XClient:
    return XClient(account.token, remote_id=account.id)


@pytest.fixture
def signed(sandbox, account) -> XClient:
    """The same account through OAuth 1.0a keys."""
    app = sandbox.get("/apps")["apps"][0]["oauth1"]
    user = account.grant["account"]["oauth1"]
    keys = (app["consumer_key"], app["consumer_secret"], user["access_token"], user["access_token_secret"])
    return XClient(keys=keys, remote_id=account.id)


def media(content: bytes, mime: str = "image/png", kind: str = "image", size: int | None = None) -> OutgoingMedia:
    return OutgoingMedia(lambda: io.BytesIO(content), mime, kind, len(content) if size is None else size)


def read_back(client: XClient, text: str) -> RemotePost:
    client.publish(OutgoingPart(text=text))
    return client.own_posts(LONG_AGO)[0]


# --- who ----------------------------------------------------------------------------------------------------


def test_me_names_the_account(sandbox, client):
    sandbox.post("/accounts", handle="roastery", name="The Roastery", premium=True, followers=77)
    account = client.me()
    assert (account.handle, account.name, account.is_premium, account.followers) == (
        "roastery",
        "The Roastery",
        True,
        77,
    )


def test_an_account_without_a_subscription_is_not_premium(client):
    assert client.me().is_premium is False


def test_signed_requests_are_accepted(signed):
    assert signed.me().handle == "roastery"


def test_a_client_never_shows_its_token(client, account):
    assert account.token not in repr(client)


# --- publishing ---------------------------------------------------------------------------------------------


def test_a_post_is_live_and_its_receipt_says_where(sandbox, client):
    accepted = client.publish(OutgoingPart(text="Good morning"))
    assert [post["id"] for post in sandbox.posts("roastery")] == [accepted.remote_id]
    assert accepted.http_status == 201
    assert urlsplit(accepted.url).path.endswith(f"/status/{accepted.remote_id}")
    assert len(accepted.request_id) == 16
    assert json.loads(accepted.raw)["data"]["id"] == accepted.remote_id


def test_a_reply_hangs_on_its_parent(sandbox, client):
    first = client.publish(OutgoingPart(text="One"))
    client.publish(OutgoingPart(text="Two", reply_to=first.remote_id))
    assert sandbox.posts("roastery")[1]["in_reply_to"] == first.remote_id


def test_the_ai_flag_is_sent(sandbox, client):
    client.publish(OutgoingPart(text="Made by a machine", made_with_ai=True))
    assert sandbox.posts("roastery")[0]["options"]["made_with_ai"] is True


def test_the_ai_flag_is_left_out_otherwise(sandbox, client):
    client.publish(OutgoingPart(text="Made by hand"))
    assert "made_with_ai" not in sandbox.posts("roastery")[0]["options"]


def test_a_signed_post_is_accepted(sandbox, signed):
    signed.publish(OutgoingPart(text="Grüße & <ünïcödé> 咖啡"))
    assert sandbox.posts("roastery")[0]["text"] == "Grüße & <ünïcödé> 咖啡"


# --- media --------------------------------------------------------------------------------------------------


def test_a_picture_is_uploaded_and_attached(sandbox, client):
    upload = client.upload(media(picture()))
    client.publish(OutgoingPart(text="Look", media_ids=(upload.remote_id,)))
    assert upload.is_ready
    assert upload.expires_in_s > 3600
    assert sandbox.posts("roastery")[0]["media_ids"] == [upload.remote_id]


def test_a_signed_upload_is_accepted(signed):
    assert signed.upload(media(picture())).is_ready


def test_alt_text_is_stored_with_the_picture(sandbox, client):
    upload = client.upload(media(picture()))
    client.set_alt_text(upload.remote_id, "A cup of coffee")
    assert sandbox.ledger()[-1]["path"] == "/2/media/metadata"


def test_alt_text_that_is_too_long_is_refused(client):
    upload = client.upload(media(picture()))
    with pytest.raises(NetworkError) as caught:
        client.set_alt_text(upload.remote_id, "x" * 1001)
    assert caught.value.failure is Failure.REJECTED


class CountingFile(io.BytesIO):
    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        CountingFile.largest = max(CountingFile.largest, len(data))
        return data


def test_a_large_file_goes_in_chunks_and_is_never_held_whole(sandbox, client):
    content = picture() + b"\0" * (3 * CHUNK_BYTES)
    CountingFile.largest = 0
    client.upload(OutgoingMedia(lambda: CountingFile(content), "image/png", "image", len(content)))
    appended = [entry for entry in sandbox.ledger() if entry["path"].endswith("/append")]
    assert len(appended) == 4
    assert CountingFile.largest == CHUNK_BYTES


def test_a_video_is_ready_only_after_processing(sandbox, client):
    upload = client.upload(media(movie(), "video/mp4", "video"))
    assert not upload.is_ready
    assert upload.check_after_s >= 1
    sandbox.advance(60)
    states = [client.upload_state(upload.remote_id).is_ready for _ in range(5)]
    assert states[-1]


def test_a_video_that_x_cannot_process_is_final(sandbox, client):
    sandbox.fault("processing_failed")
    upload = client.upload(media(movie(), "video/mp4", "video"))
    sandbox.advance(60)
    with pytest.raises(NetworkError) as caught:
        [client.upload_state(upload.remote_id) for _ in range(5)]
    assert (caught.value.failure, caught.value.code) == (Failure.REJECTED, "media_failed")


def test_a_file_that_is_shorter_than_announced_is_refused(client):
    with pytest.raises(NetworkError) as caught:
        client.upload(media(picture(), size=10_000))
    assert caught.value.failure is Failure.REJECTED


@pytest.mark.parametrize("step", ["initialize", "{id}/append", "{id}/finalize"])
def test_an_upload_that_breaks_leaves_nothing_uncertain(sandbox, client, step):
    sandbox.fault("accept_then_drop", route=f"POST /2/media/upload/{step}")
    with pytest.raises(NetworkError) as caught:
        client.upload(media(picture()))
    assert caught.value.failure is Failure.TEMPORARY


def test_a_refused_chunk_says_why(sandbox, client):
    sandbox.fault("status", route="POST /2/media/upload/{id}/append", status=413)
    with pytest.raises(NetworkError) as caught:
        client.upload(media(picture()))
    assert caught.value.code == "too_large"


# --- reading back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Plain words",
        "Tom & Jerry <3 > 2",
        "a literal &amp; and &lt;b&gt;",
        "See https://example.com/a?b=1&c=2 and https://example.org",
        "https://example.com twice: https://example.com",
        "手冲比例 1:16，水温 92°C",
        "two\nlines\n\nand a gap",
        "👩‍👩‍👧‍👦 and é",
    ],
)
def test_a_text_comes_back_as_it_was_written(client, text):
    assert read_back(client, text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Visit example.com today",
        "cafe\u0301",
        "blanks   inside",
        "  around  ",
        "http://example.com",
        "See example.com/x",
    ],
)
def test_what_networks_rewrite_is_recognised_all_the_same(client, text):
    assert read_back(client, text).says(text)


def test_other_words_are_not_recognised(client):
    assert not read_back(client, "Visit example.com today").says("Visit example.com tomorrow")


def test_another_link_is_not_recognised(client):
    assert not read_back(client, "Visit https://example.com").says("Visit https://example.org")


def test_the_link_that_x_appends_for_media_is_taken_off(client):
    upload = client.upload(media(picture()))
    client.publish(OutgoingPart(text="Look", media_ids=(upload.remote_id,)))
    post = client.own_posts(LONG_AGO)[0]
    assert (post.text, post.media_count) == ("Look", 1)


def test_a_post_with_nothing_but_a_picture_has_no_text(client):
    upload = client.upload(media(picture()))
    client.publish(OutgoingPart(text="", media_ids=(upload.remote_id,)))
    assert client.own_posts(LONG_AGO)[0].text == ""


def test_a_link_that_only_looks_like_a_photo_page_stays(client):
    text = "Our album: https://example.com/photo/1"
    assert read_back(client, text).text == text


def test_a_long_post_comes_back_whole(sandbox, client):
    sandbox.post("/accounts", handle="roastery", premium=True)
    text = "A long story with https://example.com inside. " * 20
    assert read_back(client, text).text == text.strip()


def test_a_reply_names_its_parent(client):
    first = client.publish(OutgoingPart(text="One"))
    client.publish(OutgoingPart(text="Two", reply_to=first.remote_id))
    assert client.own_posts(LONG_AGO)[0].reply_to == first.remote_id


def test_only_posts_since_the_moment_are_read(sandbox, client):
    client.publish(OutgoingPart(text="Old"))
    sandbox.advance(3600)
    client.publish(OutgoingPart(text="New"))
    assert [post.text for post in client.own_posts(now() + timedelta(minutes=30))] == ["New"]


def test_an_account_without_posts_has_none(client):
    assert client.own_posts(LONG_AGO) == []


def test_more_than_a_page_is_read_to_the_end(sandbox, client):
    for number in range(103):
        sandbox.post("/mentions", **{"from": "roastery", "to": "other", "text": f"Post {number}"})
    assert len(client.own_posts(LONG_AGO)) == 103


def test_a_timeline_that_does_not_end_is_not_taken_for_complete(sandbox, client, monkeypatch):
    monkeypatch.setattr("social.networks.x.client.TIMELINE_PAGES", 1)
    for number in range(103):
        sandbox.post("/mentions", **{"from": "roastery", "to": "other", "text": f"Post {number}"})
    with pytest.raises(NetworkError) as caught:
        client.own_posts(LONG_AGO)
    assert caught.value.code == "timeline_too_long"


def test_a_timeline_that_x_could_not_look_at_does_not_seem_empty(sandbox, account):
    stranger = XClient(account.token, remote_id="999")
    with pytest.raises(NetworkError) as caught:
        stranger.own_posts(LONG_AGO)
    assert (caught.value.failure, caught.value.code) == (Failure.TEMPORARY, "unreadable_answer")
