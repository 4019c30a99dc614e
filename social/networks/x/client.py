"""X behind the port: tweepy with our base URL and timeouts, the v2 media endpoints and the newer fields."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import requests
import tweepy
from django.conf import settings

from lib.http import open_session
from social.networks.links import x_post_url
from social.networks.port import (
    Accepted,
    Account,
    Billed,
    Failure,
    NetworkError,
    OutgoingMedia,
    OutgoingPart,
    Readings,
    RemotePost,
    SeenPost,
    Upload,
)
from social.networks.x import metrics, prices
from social.networks.x.bodies import created_id, post_body, seen, stamp, upload_of, written
from social.networks.x.errors import from_exception, from_response, reading, windows_of

CHUNK_BYTES = 1024 * 1024
CATEGORIES = {"image": "tweet_image", "gif": "tweet_gif", "video": "tweet_video"}
NOT_SHOWN = "X does not show this post. It may have been deleted."
TWEEPY_HOST = "https://api.twitter.com"
# X shows the last 3,200 posts of an account, 100 a page.
TIMELINE_PAGES = 32
# tweepy parses error bodies and headers carelessly: these are what it stumbles with.
TWEEPY_ERRORS = (tweepy.TweepyException, requests.RequestException, AttributeError, TypeError, ValueError)


class XClient(tweepy.Client):
    """One account. `bearer` is an OAuth 2.0 user token; the four keys are OAuth 1.0a.

    `on_billed` hears of every call that X charged for, except `publish` and `read_metrics`: their prices are held back
    by the caller.
    """

    uploads_ahead = True
    can_read_posts = True

    def __init__(
        self,
        bearer: str = "",
        *,
        keys: tuple[str, str, str, str] | None = None,
        remote_id: str = "",
        on_billed: Callable[[Billed], None] = lambda billed: None,
    ) -> None:
        consumer, consumer_secret, token, token_secret = keys or (None, None, None, None)
        super().__init__(
            bearer_token=bearer or None,
            consumer_key=consumer,
            consumer_secret=consumer_secret,
            access_token=token,
            access_token_secret=token_secret,
        )
        self.uses_oauth1 = keys is not None
        self.remote_id, self.on_billed = remote_id, on_billed
        self.timeout_s = float(settings.X_TIMEOUT_S)
        self.session = open_session(settings.X_TIMEOUT_S, hosts={TWEEPY_HOST: settings.X_API_BASE_URL})
        self.session.hooks["response"].append(self._keep_answer)
        self._answer: requests.Response | None = None

    def _keep_answer(self, response: requests.Response, **_kwargs: Any) -> None:
        self._answer = response

    def me(self) -> Account:
        fields = {"user.fields": "public_metrics,verified_type,subscription_type"}
        with reading(self._call("GET", "/2/users/me", params=fields)) as body:
            user = body["data"]
            self.on_billed(Billed("x.user_read", prices.USER_READ, f"user:{user['id']}"))
            return Account(
                remote_id=str(user["id"]),
                handle=user["username"],
                name=user.get("name") or user["username"],
                is_premium=user.get("subscription_type", "None") in {"Premium", "PremiumPlus"},
                followers=user.get("public_metrics", {}).get("followers_count", 0),
            )

    def publish(self, part: OutgoingPart) -> Accepted:
        response = self._call("POST", "/2/tweets", json=post_body(part), is_write=True)
        remote_id = created_id(response)
        return Accepted(
            remote_id=remote_id,
            url=x_post_url(remote_id),
            http_status=response.status_code,
            request_id=response.headers.get("x-transaction-id", ""),
            raw=response.text[:4000],
            windows=windows_of(response),
        )

    def edit(self, remote_id: str, part: OutgoingPart) -> str:
        """X makes a new version with an id of its own. An edit that went through before is found, not repeated."""
        newest = self._newest_version(remote_id)
        if newest.says(part.text):
            return newest.remote_id
        body = post_body(part) | {"edit_options": {"previous_post_id": newest.remote_id}}
        new_id = created_id(self._call("POST", "/2/tweets", json=body, is_write=True))
        self.on_billed(Billed("x.edit", prices.part_cost(part.text), f"edit:{new_id}"))
        return new_id

    def pin(self, remote_id: str) -> None:
        """X's API has no pinning, and no option asks for it."""

    def delete(self, remote_ids: Sequence[str]) -> None:
        for remote_id in remote_ids:
            try:
                self._call("DELETE", f"/2/tweets/{remote_id}")
            except NetworkError as error:
                if error.http_status != 404:
                    raise
            else:
                self.on_billed(Billed("x.delete", prices.DELETE, f"delete:{remote_id}"))

    def read_post(self, remote_id: str) -> SeenPost:
        """A post of anybody, with what decides whether we may answer it."""
        params = {
            "tweet.fields": "created_at,entities,referenced_tweets,author_id,edit_history_tweet_ids,note_tweet",
            "expansions": "author_id,referenced_tweets.id",
        }
        with reading(self._call("GET", f"/2/tweets/{remote_id}", params=params)) as body:
            if "data" not in body:
                raise NetworkError(Failure.REJECTED, "not_found", NOT_SHOWN)
            self._bill_reads([body["data"]])
            return seen(body, self.remote_id)

    def replies_to(self, threads: Collection[str], since: datetime) -> list[SeenPost]:
        """Answers in threads of ours, by the ids of their first posts; the newest first."""
        params = {
            "max_results": "100",
            "start_time": stamp(since),
            "tweet.fields": "created_at,author_id,conversation_id,referenced_tweets,entities",
            "expansions": "author_id",
        }
        with reading(self._call("GET", f"/2/users/{self.remote_id}/mentions", params=params)) as body:
            posts = body.get("data", [])
            self._bill_reads(posts)
            kept = [post for post in posts if post.get("conversation_id") in threads]
            return [seen(body | {"data": post}, self.remote_id) for post in kept]

    def mentions(self, since_id: str = "") -> list[SeenPost]:
        """What others wrote to us after that post, the oldest first; at most a hundred. Each one read is paid."""
        params = {
            "max_results": "100",
            "tweet.fields": "created_at,author_id,conversation_id,referenced_tweets,entities,note_tweet",
            "expansions": "author_id,referenced_tweets.id",
        }
        if since_id:
            params["since_id"] = since_id
        with reading(self._call("GET", f"/2/users/{self.remote_id}/mentions", params=params)) as body:
            posts = body.get("data", [])
            self._bill_reads(posts)
            return [seen(body | {"data": post}, self.remote_id) for post in reversed(posts)]

    def search(
        self, query: str, *, since_id: str = "", since: datetime | None = None, limit: int = 10
    ) -> list[SeenPost]:
        """Public posts of the last week, the newest first; their authors' names are not asked for, which X charges."""
        params = {
            "query": query,
            "max_results": str(limit),
            "tweet.fields": "created_at,author_id,conversation_id,entities,note_tweet",
        }
        if since_id:
            params["since_id"] = since_id
        elif since:
            params["start_time"] = stamp(since)
        with reading(self._call("GET", "/2/tweets/search/recent", params=params)) as body:
            posts = body.get("data", [])
            self._bill_reads(posts)
            return [seen(body | {"data": post}, self.remote_id) for post in posts]

    def set_hidden(self, remote_id: str, hidden: bool) -> None:
        self._call("PUT", f"/2/tweets/{remote_id}/hidden", json={"hidden": hidden})

    def _newest_version(self, remote_id: str) -> RemotePost:
        params = {"tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet,edit_history_tweet_ids"}
        with reading(self._call("GET", f"/2/tweets/{remote_id}", params=params)) as body:
            if "data" not in body:
                raise NetworkError(Failure.REJECTED, "not_found", NOT_SHOWN)
            self._bill_reads([body["data"]])
            newest = str(body["data"]["edit_history_tweet_ids"][-1])
            if newest == remote_id:
                return self._remote_post(body["data"])
        return self._newest_version(newest)

    def _bill_reads(self, posts: Sequence[dict[str, Any]]) -> None:
        # Within a UTC day X charges for a post once.
        for post in posts:
            self.on_billed(Billed("x.post_read", prices.POST_READ, f"post:{post['id']}"))

    def own_posts(self, since: datetime) -> list[RemotePost]:
        params = {
            "max_results": "100",
            "start_time": stamp(since),
            "tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet",
        }
        return [post for page in self._pages(params) for post in page]

    def read_metrics(self, remote_ids: Sequence[str], *, with_private: bool = True) -> Readings:
        """Where X keeps a whole post back because of its private numbers, it is asked once more for the public ones."""
        found = self._lookup(remote_ids, with_private=with_private)
        kept_back = [remote_id for remote_id in remote_ids if remote_id not in {*found.posts, *found.gone}]
        if not (with_private and kept_back):
            return found
        public = self._lookup(kept_back, with_private=False)
        return Readings(found.posts | public.posts, found.gone | public.gone, public.windows)

    def _lookup(self, remote_ids: Sequence[str], *, with_private: bool) -> Readings:
        answer = self._call("GET", "/2/tweets", params=metrics.fields(with_private) | {"ids": ",".join(remote_ids)})
        with reading(answer) as body:
            return metrics.readings(body, windows_of(answer))

    def read_timeline(self, since_id: str = "", since: datetime | None = None) -> list[RemotePost]:
        params = {
            "max_results": "100",
            "tweet.fields": "created_at,entities,attachments,referenced_tweets,note_tweet",
        }
        if since_id:
            params["since_id"] = since_id
        elif since:
            params["start_time"] = stamp(since)
        with reading(self._call("GET", f"/2/users/{self.remote_id}/tweets", params=params)) as body:
            posts = body.get("data", [])
            self._bill_reads(posts)
            return [self._remote_post(post) for post in reversed(posts)]

    def read_followers(self) -> int:
        return self.me().followers

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
            return upload_of(body["data"])

    def upload_state(self, remote_id: str) -> Upload:
        params = {"command": "STATUS", "media_id": remote_id}
        with reading(self._call("GET", "/2/media/upload", params=params)) as body:
            return upload_of(body["data"])

    def set_alt_text(self, remote_id: str, text: str) -> None:
        body = {"id": remote_id, "metadata": {"alt_text": {"text": text}}}
        self._call("POST", "/2/media/metadata", json=body)
        self.on_billed(Billed("x.media_metadata", prices.MEDIA_METADATA))

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
                self._bill_reads(body.get("data", []))
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
            text=written(post),
            created_at=datetime.fromisoformat(post["created_at"].replace("Z", "+00:00")),
            media_count=len(post.get("attachments", {}).get("media_keys", [])),
            reply_to=replied[0] if replied else None,
            url=x_post_url(post["id"]),
        )
