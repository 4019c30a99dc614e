"""X API v2, as far as a publishing product uses it."""

from sandbox.router import Platform, Route
from sandbox.world import World
from sandbox.x import (
    access,
    accounts,
    authorize,
    create,
    failures,
    late,
    lookup,
    media,
    moderation,
    oauth2,
    posts,
    pricing,
    problems,
    search,
    users,
    web,
)
from sandbox.x.access import Rule
from sandbox.x.schema import SCHEMA
from sandbox.x.windows import Limits

__all__ = ["SCHEMA", "furnish", "furnish_demo", "platform"]

_READ = ("tweet.read", "users.read")
_WRITE = ("tweet.read", "tweet.write", "users.read")
_MEDIA = ("media.write",)
_UPLOAD = Limits(user=1875, app_day=180_000)
_WHOLE = Limits(user=500, app_day=50_000)
# 2,400 posts a day is X's limit for any account, programs or people.
_POSTING = Limits(user=100, user_day=2_400, app_day=10_000)


def platform() -> Platform:
    return Platform(
        "x",
        "/x",
        [*_api_routes(), *_page_routes()],
        not_found=problems.not_found,
        admit=access.admit,
        fail=failures.fail,
        headers=access.headers,
        catch_up=late.land_due,
    )


def furnish(world: World) -> None:
    accounts.ensure_app(world.store.db, accounts.DEFAULT_CLIENT_ID, accounts.DEFAULT_SECRET, name="Marketing agent")
    accounts.ensure(world.store.db, "sandbox_demo", world.clock.now(), name="Sandbox Demo")


def furnish_demo(world: World) -> None:
    """Two people write to the account that is there from the start; once."""
    db, now = world.store.db, world.clock.now()
    if accounts.find(db, "mara_brews") is not None:
        return
    for handle, name, text in (
        ("mara_brews", "Mara Lind", "@sandbox_demo the spring roast is lovely! What grind for a V60?"),
        ("chenli_coffee", "陈丽", "@sandbox_demo 请问春季豆子还有货吗？上周的订单还没有发货，有点失望。"),
    ):
        author = accounts.ensure(db, handle, now, name=name)
        posts.insert(db, posts.Draft(author, None, text), now)


def _api_routes() -> list[Route]:
    return [
        Route("POST", "/2/tweets", create.create_post, Rule(_POSTING, _WRITE)),
        Route("GET", "/2/tweets", lookup.get_posts, Rule(Limits(5000, 3500), _READ, "any")),
        Route("GET", "/2/tweets/search/recent", search.get_recent, Rule(Limits(300, 450), _READ, "any")),
        Route("GET", "/2/tweets/{id}", lookup.get_post, Rule(Limits(900, 450), _READ, "any")),
        Route("DELETE", "/2/tweets/{id}", moderation.delete_post, Rule(Limits(50), _WRITE)),
        Route(
            "PUT",
            "/2/tweets/{tweet_id}/hidden",
            moderation.hide_reply,
            Rule(Limits(50), (*_READ, "tweet.moderate.write")),
        ),
        Route("GET", "/2/users/me", users.get_me, Rule(Limits(75), _READ)),
        Route("GET", "/2/users/{id}/tweets", lookup.get_timeline, Rule(Limits(900, 10_000), _READ, "any")),
        Route("GET", "/2/users/{id}/mentions", lookup.get_mentions, Rule(Limits(300, 450), _READ, "any")),
        Route("GET", "/2/usage/tweets", pricing.get_usage, Rule(Limits(app=50), auth="app")),
        Route("POST", "/2/media/upload/initialize", media.initialize, Rule(_UPLOAD, _MEDIA)),
        Route("POST", "/2/media/upload/{id}/append", media.append, Rule(_UPLOAD, _MEDIA)),
        Route("POST", "/2/media/upload/{id}/finalize", media.finalize, Rule(_UPLOAD, _MEDIA)),
        Route("GET", "/2/media/upload", media.get_status, Rule(Limits(1000, app_day=100_000), _MEDIA)),
        Route("POST", "/2/media/upload", media.upload_at_once, Rule(_WHOLE, _MEDIA)),
        Route("POST", "/2/media/metadata", media.set_metadata, Rule(_WHOLE, _MEDIA)),
        Route("POST", "/2/media/subtitles", media.set_subtitles, Rule(Limits(user=100), _MEDIA)),
        Route("POST", "/2/oauth2/token", oauth2.exchange_token, Rule(auth="client")),
        Route("POST", "/2/oauth2/revoke", oauth2.revoke_token, Rule(auth="client")),
    ]


def _page_routes() -> list[Route]:
    return [
        Route("GET", "/i/oauth2/authorize", authorize.show_page, is_api=False),
        Route("POST", "/i/oauth2/authorize", authorize.decide, is_api=False),
        Route("GET", "/i/media/{key}", web.show_media, is_api=False),
        Route("GET", "/i/avatar/{file}", web.show_avatar, is_api=False),
        Route("GET", "/{handle}/status/{id}/{kind}/{number}", web.show_post, is_api=False),
        Route("GET", "/{handle}/status/{id}", web.show_post, is_api=False),
        Route("GET", "/{handle}", web.show_profile, is_api=False),
    ]
