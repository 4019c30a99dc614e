from typing import Any

import pytest
import requests
import tweepy

from tests.sandbox.cast import Client, Sandbox, photo
from tests.sandbox.test_oauth2 import BASIC

HOSTS = ("https://api.twitter.com", "https://api.x.com")


class Reroute(requests.adapters.HTTPAdapter):
    def __init__(self, base: str) -> None:
        self.base = base
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        for host in HOSTS:
            request.url = str(request.url).replace(host, self.base)
        options["timeout"] = options.get("timeout") or (3, 2)
        return super().send(request, *args, **options)


def rerouted(sandbox: Sandbox, client: tweepy.Client) -> tweepy.Client:
    for host in HOSTS:
        client.session.mount(host, Reroute(f"{sandbox.url}/x"))
    return client


@pytest.fixture
def client(sandbox: Sandbox, alice: Client) -> tweepy.Client:
    return rerouted(sandbox, tweepy.Client(bearer_token=alice.token))


@pytest.fixture
def keys(sandbox: Sandbox, alice: Client) -> dict[str, str]:
    app = sandbox.get("/apps")["apps"][0]["oauth1"]
    return {**app, **alice.grant["account"]["oauth1"]}


@pytest.fixture
def signed(sandbox: Sandbox, keys: dict[str, str]) -> tweepy.Client:
    return rerouted(sandbox, tweepy.Client(**keys))


def test_create_and_reply_with_media(client: tweepy.Client, alice: Client, sandbox: Sandbox) -> None:
    first = client.create_tweet(text="1/2", user_auth=False).data["id"]
    client.create_tweet(text="2/2", in_reply_to_tweet_id=first, media_ids=[photo(alice)], user_auth=False)
    posts = sandbox.posts("alice")
    assert posts[1]["in_reply_to"] == first
    assert len(posts[1]["media_ids"]) == 1


def test_create_a_poll(client: tweepy.Client, sandbox: Sandbox) -> None:
    client.create_tweet(text="Which?", poll_options=["Tea", "Coffee"], poll_duration_minutes=60, user_auth=False)
    assert sandbox.posts("alice")[0]["poll"] == {"options": ["Tea", "Coffee"], "duration_minutes": 60}


def test_fields_that_tweepy_does_not_know(client: tweepy.Client, sandbox: Sandbox) -> None:
    client._make_request("POST", "/2/tweets", json={"text": "By a model", "made_with_ai": True})
    assert sandbox.posts("alice")[0]["options"] == {"made_with_ai": True}


def test_read_posts_with_private_metrics_and_partial_errors(client: tweepy.Client, alice: Client) -> None:
    post_id = alice.post_id("Hello")
    fields = ["public_metrics", "non_public_metrics", "created_at"]
    answer = client.get_tweets([post_id, "12"], tweet_fields=fields, user_auth=False)
    [post] = answer.data
    assert post.non_public_metrics["impression_count"] == post.public_metrics["impression_count"]
    assert answer.errors[0]["resource_id"] == "12"


def test_read_me_and_mentions_since_an_id(client: tweepy.Client, sandbox: Sandbox, alice: Client) -> None:
    old = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "text": "@alice one"})
    new = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "text": "@alice two"})
    me = client.get_me(user_auth=False).data
    mentions = client.get_users_mentions(me.id, since_id=old["id"], user_auth=False).data
    assert [str(mention.id) for mention in mentions] == [new["id"]]


def test_delete_and_hide(client: tweepy.Client, sandbox: Sandbox, alice: Client) -> None:
    first = alice.post_id("We are open")
    reply = sandbox.post("/mentions", **{"from": "fan", "to": "alice", "in_reply_to": first, "text": "boo"})
    assert client.hide_reply(reply["id"], user_auth=False).data["hidden"] is True
    assert client.delete_tweet(first, user_auth=False).data["deleted"] is True


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"kind": "rate_limit"}, tweepy.TooManyRequests),
        ({"kind": "token_expired"}, tweepy.Unauthorized),
        ({"kind": "duplicate"}, tweepy.Forbidden),
        ({"kind": "status", "params": {"status": 404}}, tweepy.NotFound),
        ({"kind": "status", "params": {"status": 400}}, tweepy.BadRequest),
        ({"kind": "credits_depleted"}, tweepy.HTTPException),
        ({"kind": "html_5xx"}, tweepy.TwitterServerError),
        ({"kind": "accept_then_hang", "params": {"seconds": 20}}, requests.ReadTimeout),
        ({"kind": "accept_then_drop"}, requests.ConnectionError),
        ({"kind": "json_list_error"}, AttributeError),
    ],
)
def test_faults_raise_what_the_real_service_would_raise(
    client: tweepy.Client, sandbox: Sandbox, fault: dict[str, Any], raised: type[Exception]
) -> None:
    sandbox.post("/faults", route="POST /2/tweets", **fault)
    with pytest.raises(raised):
        client.create_tweet(text="Hello", user_auth=False)


def test_a_closed_window_tells_when_it_opens(client: tweepy.Client, sandbox: Sandbox) -> None:
    sandbox.fault("rate_limit", route="POST /2/tweets")
    with pytest.raises(tweepy.TooManyRequests) as caught:
        client.create_tweet(text="Hello", user_auth=False)
    assert isinstance(caught.value.reset_time, int)


def test_pkce_with_tweepy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    handler = tweepy.OAuth2UserHandler(
        client_id=BASIC[0],
        redirect_uri="http://127.0.0.1:9/callback",
        scope=["tweet.read", "users.read"],
        client_secret=BASIC[1],
    )
    handler.mount("https://api.twitter.com", Reroute(f"{sandbox.url}/x"))
    handler.mount("https://api.x.com", Reroute(f"{sandbox.url}/x"))
    asked = handler.get_authorization_url().partition("?")[2]
    url = f"{sandbox.url}/x/i/oauth2/authorize"
    form = dict(part.split("=", 1) for part in asked.split("&"))
    form = {name: requests.utils.unquote(value).replace("+", " ") for name, value in form.items()}
    assert requests.get(url, params=form, timeout=30).status_code == 200
    back = requests.post(
        url, data={**form, "handle": "alice", "decision": "authorize"}, allow_redirects=False, timeout=30
    )
    pair = handler.fetch_token(back.headers["location"].replace("http:", "https:"))
    assert Client(sandbox, pair["access_token"], "", "", {}).get("/2/users/me").status_code == 200


def test_signed_requests_act_for_their_account(signed: tweepy.Client, sandbox: Sandbox) -> None:
    signed.create_tweet(text="Signed & sealed: 100% ~ ünïcode")
    assert sandbox.posts("alice")[0]["text"] == "Signed & sealed: 100% ~ ünïcode"
    assert signed.get_me().data.username == "alice"
    post_id = sandbox.posts("alice")[0]["id"]
    read = signed.get_tweets([post_id], tweet_fields=["public_metrics", "created_at"], user_auth=True)
    assert str(read.data[0].id) == post_id


def sign(sandbox: Sandbox, keys: dict[str, str]) -> requests.auth.AuthBase:
    auth: requests.auth.AuthBase = tweepy.OAuth1UserHandler(
        keys["consumer_key"], keys["consumer_secret"], keys["access_token"], keys["access_token_secret"]
    ).apply_auth()
    return auth


def test_a_signature_over_the_sandbox_address_is_good_too(sandbox: Sandbox, keys: dict[str, str]) -> None:
    url = f"{sandbox.url}/x/2/users/me"
    answer = requests.get(url, params={"user.fields": "created_at"}, auth=sign(sandbox, keys), timeout=30)
    assert answer.status_code == 200


def test_media_can_be_uploaded_with_a_signature(sandbox: Sandbox, keys: dict[str, str]) -> None:
    order = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": 9}
    url = f"{sandbox.url}/x/2/media/upload/initialize"
    assert requests.post(url, json=order, auth=sign(sandbox, keys), timeout=30).status_code == 200


@pytest.mark.parametrize("name", ["consumer_key", "consumer_secret", "access_token", "access_token_secret"])
def test_a_signature_with_one_wrong_part_is_refused(sandbox: Sandbox, keys: dict[str, str], name: str) -> None:
    wrong = {**keys, name: "wrong"}
    answer = requests.get(f"{sandbox.url}/x/2/users/me", auth=sign(sandbox, wrong), timeout=30)
    assert answer.status_code == 401


def test_a_signed_request_cannot_be_played_again(sandbox: Sandbox, keys: dict[str, str]) -> None:
    request = requests.Request("GET", f"{sandbox.url}/x/2/users/me", auth=sign(sandbox, keys)).prepare()
    with requests.Session() as session:
        assert session.send(request, timeout=30).status_code == 200
        assert session.send(request, timeout=30).status_code == 401


def test_a_changed_query_breaks_the_signature(sandbox: Sandbox, keys: dict[str, str]) -> None:
    request = requests.Request("GET", f"{sandbox.url}/x/2/users/me", auth=sign(sandbox, keys)).prepare()
    request.url = f"{request.url}?user.fields=created_at"
    assert requests.Session().send(request, timeout=30).status_code == 401
