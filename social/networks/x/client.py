"""X behind the port: tweepy with our base URL and timeouts, the v2 media endpoints and the newer fields."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
import tweepy
from django.conf import settings

from lib.http import LimitedAdapter, limit_session
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
from social.networks.x.errors import from_exception

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
CHUNK_BYTES = 1024 * 1024
CATEGORIES = {"image": "tweet_image", "gif": "tweet_gif", "video": "tweet_video"}
TIMELINE_PAGES = 5


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
        hosts = {"https://api.twitter.com": settings.X_API_BASE_URL}
        limit_session(self.session, LimitedAdapter(timeout_s=settings.X_TIMEOUT_S, hosts=hosts))

    def me(self) -> Account:
        fields = {"user.fields": "public_metrics,verified_type,subscription_type"}
        user = self._call("GET", "/2/users/me", params=fields).json()["data"]
        return Account(
            remote_id=user["id"],
            handle=user["username"],
            name=user.get("name", user["username"]),
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
            "tweet.fields": "created_at,entities,attachments,referenced_tweets",
        }
        return [self._remote_post(post) for page in self._pages(params) for post in page.get("data", [])]

    def upload(self, media: OutgoingMedia) -> Upload:
        """Stream the file in chunks of 1 MB; larger ones are refused at X's edge."""
        start = {
            "media_type": media.mime,
            "total_bytes": media.size_bytes,
            "media_category": CATEGORIES[media.kind],
        }
        remote_id = self._call("POST", "/2/media/upload/initialize", json=start).json()["data"]["id"]
        with media.open() as file:
            for index, chunk in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
                self._append(remote_id, index, chunk)
        # An empty object is wanted here; no body at all is refused.
        done = self._call("POST", f"/2/media/upload/{remote_id}/finalize", json={})
        return _upload(done.json()["data"])

    def upload_state(self, remote_id: str) -> Upload:
        params = {"command": "STATUS", "media_id": remote_id}
        return _upload(self._call("GET", "/2/media/upload", params=params).json()["data"])

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
        try:
            if files:
                return self._multipart(route, files, data or {})
            return self.request(method, route, params=params, json=json, user_auth=self.uses_oauth1)
        except (tweepy.TweepyException, requests.RequestException, AttributeError) as error:
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
        url = f"https://api.twitter.com{route}"
        response = self.session.post(url, files=files, data=data, headers=headers, auth=auth)
        if not response.ok:
            raise tweepy.HTTPException(response)
        return response

    def _pages(self, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        for _ in range(TIMELINE_PAGES):
            page = self._call("GET", f"/2/users/{self.remote_id}/tweets", params=params).json()
            yield page
            token = page.get("meta", {}).get("next_token")
            if not token:
                return
            params = params | {"pagination_token": token}

    def _remote_post(self, post: dict[str, Any]) -> RemotePost:
        replied = [ref["id"] for ref in post.get("referenced_tweets", []) if ref["type"] == "replied_to"]
        return RemotePost(
            remote_id=post["id"],
            text=_expanded(post),
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


def _expanded(post: dict[str, Any]) -> str:
    """The text as it was written: X replaces links by t.co ones, and appends one for media."""
    text = post["text"]
    for link in post.get("entities", {}).get("urls", []):
        is_media = (
            "media_key" in link
            or "/photo/" in link.get("expanded_url", "")
            or "/video/" in link.get("expanded_url", "")
        )
        text = text.replace(link["url"], "" if is_media else link.get("expanded_url", link["url"]))
    return text
