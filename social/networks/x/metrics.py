"""The numbers of posts as X tells them."""

from typing import Any

from social.networks.port import PostNumbers, RateWindow, Readings

PUBLIC = {
    "impression_count": "impressions",
    "like_count": "likes",
    "reply_count": "replies",
    "retweet_count": "reposts",
    "quote_count": "quotes",
    "bookmark_count": "bookmarks",
}
# For the author alone, and for thirty days.
PRIVATE = {"url_link_clicks": "link_clicks", "user_profile_clicks": "profile_clicks"}
NOT_FOUND, NOT_ALLOWED = "/resource-not-found", "/not-authorized-for-field"


def fields(with_private: bool) -> dict[str, str]:
    wanted = "public_metrics,non_public_metrics" if with_private else "public_metrics"
    return {
        "tweet.fields": f"{wanted},attachments",
        "expansions": "attachments.media_keys",
        "media.fields": "public_metrics",
    }


def readings(body: dict[str, Any], windows: tuple[RateWindow, ...]) -> Readings:
    """Parts of an answer may be errors: a post that is gone, or numbers that are not ours to see."""
    errors = body.get("errors", [])
    films = {one["media_key"]: one for one in body.get("includes", {}).get("media", []) if "media_key" in one}
    posts = {str(post["id"]): _numbers(post, films) for post in body.get("data", [])}
    gone = {str(error.get("resource_id", "")) for error in errors if str(error.get("type", "")).endswith(NOT_FOUND)}
    return Readings(posts, frozenset(gone - set(posts)), windows)


def _numbers(post: dict[str, Any], films: dict[str, Any]) -> PostNumbers:
    public, private = post.get("public_metrics", {}), post.get("non_public_metrics", {})
    metrics = {name: int(public[theirs]) for theirs, name in PUBLIC.items() if theirs in public}
    metrics |= {name: int(private[theirs]) for theirs, name in PRIVATE.items() if theirs in private}
    views = [_views(films[key]) for key in post.get("attachments", {}).get("media_keys", []) if key in films]
    if known := [count for count in views if count is not None]:
        metrics["video_views"] = sum(known)
    missing = {name: "not_granted" for name in PRIVATE.values() if name not in metrics}
    missing |= {name: "not_yet" for name in PUBLIC.values() if name not in metrics}
    # Pictures have none.
    return PostNumbers(metrics, missing | ({} if known else {"video_views": "not_here"}))


def _views(film: dict[str, Any]) -> int | None:
    count = film.get("public_metrics", {}).get("view_count")
    return None if count is None else int(count)
