"""X behind the port: tweepy with our base URL and timeouts, the v2 media endpoints and the newer fields."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
import tweepy
from django.conf import settings

from lib.http import open_session
from social.networks.port import (
    Accepted,
    Account,
    Failure,
    NetworkError,
    OutgoingMedia,
    OutgoingPart,
    RemotePost,
    Upload,
)
from social.networks.x.errors import from_exception, from_response, reading

CHUNK_BYTES = 1024 * 1024
CATEGORIES = {"image": "tweet_image", "gif": "tweet_gif", "video": "tweet_video"}
TWEEPY_HOST = "https://api.twitter.com"
# X shows the last 3,200 posts of an account, 100 a page.
TIMELINE_PAGES = 32
# The page of an attached photo or video, as opposed to any address that has such a word in it.
MEDIA_PAGE = re.compile(r"/status/\d+/(?:photo|video)/\d+$")
# tweepy parses error bodies and headers carelessly: these are what it stumbles with.
TWEEPY_ERRORS = (tweepy.TweepyException, requests.RequestException, AttributeError, TypeError, ValueError)


class XClient(tweepy.Client):
    """One account. `bearer` is an OAuth 2.0 user token; the four keys are OAuth 1.0a."""

    def __init__(self, bearer: str = "", *, keys: tuple[str, str, str, str] | None = None, remote_id: str = "") -> None:
        consumer, consumer_secret, token, token_secret = keys or (None, None, None, None)
        super().__init__(
            bearer_token=bearer or None,
            consumer_key=consumer,
            consumer_secret=consumer_secret,
            access_token=token,
            access_token_secret=token_secret,
        )
        self.uses_oauth1 = keys is not None
        self.remote_id = remote_id
        self.session = open_session(settings.X_TIMEOUT_S, hosts={TWEEPY_HOST: settings.X_API_BASE_URL})
        self.session.hooks["response"].append(self._keep_answer)
        self._answer: requests.Response | None = None

    def _keep_answer(self, response: requests.Response, **_kwargs: Any) -> None:
        self._answer = response

    def me(self) -> Account:
        fields = {"user.fields": "public_metrics,verified_type,subscription_type"}
        with reading(self._call("GET", "/2/users/me", params=fields)) as body:
            user = body["data"]
            return Account(
                remote_id=str(user["id"]),
                handle=user["username"],
                name=user.get("name") or user["username"],
                is_premium=user.get("subscription_type", "None") in {"Premium", "PremiumPlus"},
                followers=user.get("public_metrics", {}).get("followers_count", 0),
            )

    def publish(self, part: OutgoingPart) -> Accepted:
        body: dict[str, Any] = {"text": part.text}
        if part.media_ids:
            body["media"] = {"media_ids": list(part.media_ids)}
        if part.reply_to:
            body["reply"] = {"in_reply_to_tweet_id": part.reply_to}
        if part.made_with_ai:
            body["made_with_ai"] = True
        response = self._call("POST", "/2/tweets", json=body, is_write=True)
        remote_id = _created_id(response)
        return Accepted(
            remote_id=remote_id,
            url=self._url(remote_id),
            http_status=response.status_code,
            request_id=response.headers.get("x-transaction-id", ""),
            raw=response.text[:4000],
        )

    def own_posts(self, since: datetime) -> list[RemotePost]:
        params = {
            "max_results": "100",
            "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet",
        }
        return [post for page in self._pages(params) for post in page]

    def upload(self, media: OutgoingMedia) -> Upload:
        """Stream the file in chunks of 1 MB; larger ones are refused at X's edge."""
        start = {
            "media_type": media.mime,
            "total_bytes": media.size_bytes,
            "media_category": CATEGORIES[media.kind],
        }
        with reading(self._call("POST", "/2/media/upload/initialize", json=start)) as body:
            remote_id = str(body["data"]["id"])
        with media.open() as file:
            for index, chunk in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
                self._append(remote_id, index, chunk)
        # An empty object is wanted here; no body at all is refused.
        with reading(self._call("POST", f"/2/media/upload/{remote_id}/finalize", json={})) as body:
            return _upload(body["data"])

    def upload_state(self, remote_id: str) -> Upload:
        params = {"command": "STATUS", "media_id": remote_id}
        with reading(self._call("GET", "/2/media/upload", params=params)) as body:
            return _upload(body["data"])

    def set_alt_text(self, remote_id: str, text: str) -> None:
        body = {"id": remote_id, "metadata": {"alt_text": {"text": text}}}
        self._call("POST", "/2/media/metadata", json=body)

    def _append(self, remote_id: str, index: int, chunk: bytes) -> None:
        route = f"/2/media/upload/{remote_id}/append"
        self._call("POST", route, files={"media": chunk}, data={"segment_index": str(index)})

    def _call(
        self,
        method: str,
        route: str,
        *,
        params: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        files: dict[str, bytes] | None = None,
        data: dict[str, str] | None = None,
        is_write: bool = False,
    ) -> requests.Response:
        self._answer = None
        try:
            if files:
                return self._multipart(route, files, data or {})
            return self.request(method, route, params=params, json=json, user_auth=self.uses_oauth1)
        except TWEEPY_ERRORS as error:
            # What X said tells more than how tweepy took it.
            if self._answer is not None:
                raise from_response(self._answer, is_write=is_write) from error
            raise from_exception(error, is_write=is_write) from error

    def _multipart(self, route: str, files: dict[str, bytes], data: dict[str, str]) -> requests.Response:
        """tweepy only sends JSON."""
        headers, auth = {}, None
        if self.uses_oauth1:
            auth = tweepy.OAuth1UserHandler(
                self.consumer_key, self.consumer_secret, self.access_token, self.access_token_secret
            ).apply_auth()
        else:
            headers["Authorization"] = f"Bearer {self.bearer_token}"
        response = self.session.post(TWEEPY_HOST + route, files=files, data=data, headers=headers, auth=auth)
        response.raise_for_status()
        return response

    def _pages(self, params: dict[str, str]) -> Iterator[list[RemotePost]]:
        for _ in range(TIMELINE_PAGES):
            with reading(self._call("GET", f"/2/users/{self.remote_id}/tweets", params=params)) as body:
                # Nothing found comes with `meta`; without it X could not look, and the list must not seem empty.
                token = body["meta"].get("next_token")
                posts = [self._remote_post(post) for post in body.get("data", [])]
            yield posts
            if not token:
                return
            params = params | {"pagination_token": token}
        raise NetworkError(Failure.TEMPORARY, "timeline_too_long", "X does not show posts that far back.")

    def _remote_post(self, post: dict[str, Any]) -> RemotePost:
        replied = [ref["id"] for ref in post.get("referenced_tweets", []) if ref["type"] == "replied_to"]
        return RemotePost(
            remote_id=str(post["id"]),
            text=_written(post),
            created_at=datetime.fromisoformat(post["created_at"].replace("Z", "+00:00")),
            media_count=len(post.get("attachments", {}).get("media_keys", [])),
            reply_to=replied[0] if replied else None,
            url=self._url(post["id"]),
        )

    def _url(self, remote_id: str) -> str:
        return f"{settings.X_WEB_BASE_URL}/i/status/{remote_id}"


def _created_id(response: requests.Response) -> str:
    try:
        return str(response.json()["data"]["id"])
    except (ValueError, KeyError, TypeError) as error:
        message = "X accepted the post but its answer names none."
        raise NetworkError(
            Failure.UNKNOWN, "no_id", message, raw=response.text, http_status=response.status_code
        ) from error


def _upload(data: dict[str, Any]) -> Upload:
    processing = data.get("processing_info") or {"state": "succeeded"}
    if processing["state"] == "failed":
        reason = (processing.get("error") or {}).get("message", "")
        raise NetworkError(Failure.REJECTED, "media_failed", f"X could not process the file. {reason}".strip())
    return Upload(
        remote_id=data["id"],
        is_ready=processing["state"] == "succeeded",
        expires_in_s=int(data.get("expires_after_secs", 86_400)),
        check_after_s=int(processing.get("check_after_secs", 2)),
    )


def _written(post: dict[str, Any]) -> str:
    """The text as it was written: X shortens links, appends one for media, escapes &, < and >, and cuts long posts."""
    # Only `note_tweet` has the whole of a long post.
    whole = post.get("note_tweet") or post
    text = str(whole["text"])
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, character)
    for link in whole.get("entities", {}).get("urls", []):
        text = text.replace(link["url"], "" if _is_media(link) else link.get("expanded_url", link["url"]))
    return text.strip()


def _is_media(link: dict[str, Any]) -> bool:
    return "media_key" in link or bool(MEDIA_PAGE.search(link.get("expanded_url", "")))
