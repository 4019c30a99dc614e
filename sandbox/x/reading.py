"""What a read asks for: fields, expansions and paging, under the old names (tweet) and the new ones (post)."""

import re
from dataclasses import dataclass, field

from sandbox.clock import parse_iso
from sandbox.router import Call
from sandbox.x import problems


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POST_FIELDS = _words(
    "article article_title attachments author_id card_uri community_id context_annotations conversation_id "
    "created_at display_text_range edit_controls edit_history_tweet_ids edit_history_post_ids entities geo id "
    "in_reply_to_user_id lang matched_media_notes media_metadata made_with_ai non_public_metrics note_tweet "
    "note_post note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics "
    "public_metrics referenced_tweets referenced_posts reply_settings scopes source suggested_source_links "
    "suggested_source_links_with_counts text username withheld"
)
USER_FIELDS = _words(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified location "
    "most_recent_tweet_id most_recent_post_id name parody pinned_tweet_id pinned_post_id profile_banner_url "
    "profile_image_url protected public_metrics receives_your_dm subscribes_to_you subscription subscription_type "
    "url username verified verified_followers_count verified_type withheld"
)
MEDIA_FIELDS = _words(
    "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics "
    "public_metrics type url variants width"
)
POLL_FIELDS = _words("duration_minutes end_datetime id options voting_status")
PLACE_FIELDS = _words("contained_within country country_code full_name geo id name place_type")
EXPANSIONS = _words(
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id edit_history_tweet_ids edit_history_post_ids entities.mentions.username "
    "geo.place_id in_reply_to_user_id referenced_tweets.id referenced_tweets.id.author_id referenced_posts username "
    "affiliation most_recent_tweet_id most_recent_post_id pinned_tweet_id pinned_post_id"
)
_LISTS = {
    "tweet.fields": POST_FIELDS,
    "post.fields": POST_FIELDS,
    "user.fields": USER_FIELDS,
    "media.fields": MEDIA_FIELDS,
    "poll.fields": POLL_FIELDS,
    "place.fields": PLACE_FIELDS,
    "expansions": EXPANSIONS,
    "exclude": frozenset({"replies", "retweets"}),
}
FIELD_PARAMETERS = frozenset(_LISTS) - {"exclude"}
_PAGE_TOKEN = re.compile(r"7140w[0-9a-f]{1,15}|7140w[0-7][0-9a-f]{15}")
PAGING = _words("max_results pagination_token since_id until_id start_time end_time")


@dataclass(frozen=True)
class Reading:
    is_legacy: bool
    lists: dict[str, list[str]] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        asked = [*self.lists.get("tweet.fields", []), *self.lists.get("post.fields", [])]
        return name in asked

    def asks(self, parameter: str, name: str) -> bool:
        return name in self.lists.get(parameter, [])


def parse_reading(call: Call, extra: frozenset[str] = frozenset()) -> Reading:
    """The lists of the query; an unknown parameter or value is a 400, as it is on X."""
    query = call.request.query
    allowed = FIELD_PARAMETERS | extra
    for name in query:
        if name not in allowed:
            shown = ",".join(sorted(allowed | set(call.args)))
            raise problems.invalid(name, query[name], f"The query parameter [{name}] is not one of [{shown}]")
    lists = {name: _parse_list(name, query[name]) for name in query if name in _LISTS}
    return Reading("post.fields" not in query, lists)


def _parse_list(name: str, text: str) -> list[str]:
    values = text.split(",")
    for value in values:
        if value not in _LISTS[name]:
            shown = ",".join(sorted(_LISTS[name]))
            raise problems.invalid(name, value, f"The `{name}` query parameter value [{value}] is not one of [{shown}]")
    return values


@dataclass(frozen=True)
class Page:
    limit: int
    since_id: int
    until_id: int
    start: float
    end: float
    excludes_replies: bool = False


def parse_page(call: Call, reading: Reading) -> Page:
    query = call.request.query
    limit = query.get("max_results", "10")
    if not is_id(limit) or not 5 <= int(limit) <= 100:
        raise problems.invalid(
            "max_results", limit, f"The `max_results` query parameter value [{limit}] is not between 5 and 100"
        )
    until = [_id(query, "until_id", 2**63 - 1), _token(query.get("pagination_token"))]
    return Page(
        int(limit),
        _id(query, "since_id", 0),
        min(until),
        _moment(query, "start_time", 0.0),
        _moment(query, "end_time", float(2**40)),
        reading.asks("exclude", "replies"),
    )


def page_token(last_id: int) -> str:
    return f"7140w{last_id:x}"


def _token(token: str | None) -> int:
    if token is None:
        return 2**63 - 1
    if not _PAGE_TOKEN.fullmatch(token):
        raise problems.invalid("pagination_token", token, "The `pagination_token` is not valid.")
    return int(token.removeprefix("7140w"), 16)


def _id(query: dict[str, str], name: str, default: int) -> int:
    value = query.get(name)
    if value is None:
        return default
    return check_id(name, value)


def is_id(text: str) -> bool:
    """Up to 19 digits that fit the 63 bits of a snowflake."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63


def check_id(name: str, value: str) -> int:
    if not is_id(value):
        raise problems.invalid(
            name, value, f"The `{name}` query parameter value [{value}] does not match ^[0-9]{{1,19}}$"
        )
    return int(value)


def _moment(query: dict[str, str], name: str, default: float) -> float:
    try:
        return parse_iso(query[name]) if name in query else default
    except ValueError:
        raise problems.invalid(name, query[name], f"Invalid '{name}':'{query[name]}'. Use RFC 3339.") from None
