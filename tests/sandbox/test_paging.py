"""Walking through timelines and mentions: nothing is skipped, nothing comes twice."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.x.reading import page_token
from tests.sandbox.cast import Client, Sandbox

POSTS = 23


@dataclass
class Shelf:
    """An account with posts, oldest first, one a minute."""

    client: Client
    ids: list[str]

    def page(self, kind: str = "tweets", **params: Any) -> dict[str, Any]:
        answer = self.client.get(f"/2/users/{self.client.id}/{kind}", **params)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    def walk(self, kind: str = "tweets", **params: Any) -> list[dict[str, Any]]:
        pages = [self.page(kind, **params)]
        while token := pages[-1]["meta"].get("next_token"):
            pages.append(self.page(kind, **params, pagination_token=token))
        return pages

    def everything(self, kind: str = "tweets", **params: Any) -> list[str]:
        return [post["id"] for page in self.walk(kind, **params) for post in page.get("data", [])]


@pytest.fixture(scope="module")
def shelf(sandbox_process: Sandbox) -> Shelf:
    """Written once for the module: nobody changes it here."""
    sandbox_process.post("/reset")
    alice = sandbox_process.sign_in("alice")
    ids = []
    for number in range(POSTS):
        ids.append(alice.post_id(f"Post {number}"))
        sandbox_process.advance(60)
        sandbox_process.post("/mentions", **{"from": "fan", "to": "alice", "text": f"@alice {number}"})
    return Shelf(alice, ids)


@pytest.mark.parametrize("size", [5, 6, 11, 12, 22, 23, 24, 100])
def test_pages_of_any_size_add_up_to_all_posts(shelf: Shelf, size: int) -> None:
    assert shelf.everything(max_results=size) == shelf.ids[::-1]


@pytest.mark.parametrize("size", [5, 22, 23, 24, 100])
def test_pages_of_mentions_add_up_to_all_mentions(shelf: Shelf, size: int) -> None:
    found = shelf.everything("mentions", max_results=size)
    assert len(found) == len(set(found)) == POSTS
    assert found == sorted(found, key=int, reverse=True)


@pytest.mark.parametrize(("size", "pages"), [(5, 5), (22, 2), (23, 1), (24, 1)])
def test_a_full_last_page_announces_no_empty_one(shelf: Shelf, size: int, pages: int) -> None:
    walked = shelf.walk(max_results=size)
    assert len(walked) == pages
    assert all("data" in page for page in walked)


def test_each_page_counts_and_names_its_ends(shelf: Shelf) -> None:
    for page in shelf.walk(max_results=7):
        found = [post["id"] for post in page["data"]]
        meta = {name: value for name, value in page["meta"].items() if name != "next_token"}
        assert meta == {"result_count": len(found), "newest_id": found[0], "oldest_id": found[-1]}


@settings(max_examples=40, deadline=None)
@given(since=st.integers(0, POSTS - 1), until=st.integers(0, POSTS - 1), size=st.integers(5, 100))
def test_any_span_of_ids_is_what_lies_strictly_between(shelf: Shelf, since: int, until: int, size: int) -> None:
    found = shelf.everything(since_id=shelf.ids[since], until_id=shelf.ids[until], max_results=size)
    assert found == shelf.ids[since + 1 : until][::-1]


def test_the_newest_id_as_since_id_finds_nothing_new(shelf: Shelf) -> None:
    assert shelf.page(since_id=shelf.ids[-1]) == {"meta": {"result_count": 0}}


def test_the_oldest_id_as_until_id_finds_nothing_older(shelf: Shelf) -> None:
    assert shelf.page(until_id=shelf.ids[0]) == {"meta": {"result_count": 0}}


def test_one_less_than_an_id_includes_it(shelf: Shelf) -> None:
    assert shelf.everything(since_id=str(int(shelf.ids[-1]) - 1)) == shelf.ids[-1:]


def test_ids_that_never_were_can_be_cursors(shelf: Shelf) -> None:
    assert shelf.everything(since_id="1", until_id="9" + "0" * 18) == shelf.ids[::-1]


def moment(post_id: str) -> datetime:
    """Snowflakes carry their time."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + 1288834974657) / 1000, UTC)


def second(post_id: str, later: int = 0) -> str:
    return (moment(post_id) + timedelta(seconds=later)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("number", [0, 1, 11, 22])
def test_start_time_includes_its_own_second(shelf: Shelf, number: int) -> None:
    assert shelf.everything(start_time=second(shelf.ids[number])) == shelf.ids[number:][::-1]


@pytest.mark.parametrize("number", [0, 1, 11, 22])
def test_end_time_excludes_its_own_second(shelf: Shelf, number: int) -> None:
    assert shelf.everything(end_time=second(shelf.ids[number])) == shelf.ids[:number][::-1]


@pytest.mark.parametrize(("first", "last"), [(3, 9), (0, 22), (5, 5)])
def test_a_span_of_time_is_walked_whole(shelf: Shelf, first: int, last: int) -> None:
    span = {"start_time": second(shelf.ids[first]), "end_time": second(shelf.ids[last], 1)}
    assert shelf.everything(max_results=5, **span) == shelf.ids[first : last + 1][::-1]


def test_a_span_that_ends_before_it_begins_is_empty(shelf: Shelf) -> None:
    span = {"start_time": second(shelf.ids[9]), "end_time": second(shelf.ids[3])}
    assert shelf.page(**span) == {"meta": {"result_count": 0}}


@pytest.mark.parametrize("zone", ["+00:00", "Z", "-00:00"])
def test_a_zone_may_be_written_in_any_form(shelf: Shelf, zone: str) -> None:
    start = second(shelf.ids[20]).removesuffix("Z") + zone
    assert shelf.everything(start_time=start) == shelf.ids[20:][::-1]


def test_a_plus_that_was_not_encoded_is_no_zone(shelf: Shelf) -> None:
    start = second(shelf.ids[20]).removesuffix("Z") + "+00:00"
    path = f"/2/users/{shelf.client.id}/tweets?start_time="
    assert shelf.client.call("GET", path + start).status_code == 400
    assert shelf.client.call("GET", path + quote(start)).status_code == 200


@pytest.mark.parametrize("text", ["", "2026", "2026-13-01T00:00:00Z", "2026-01-01", "1700000000", "now"])
@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_what_is_no_instant_is_refused(shelf: Shelf, name: str, text: str) -> None:
    answer = shelf.client.get(f"/2/users/{shelf.client.id}/tweets", **{name: text})
    assert answer.status_code == 400
    assert list(answer.json()["errors"][0]["parameters"]) == [name]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "7140w",
        "7140wxyz",
        "abc",
        "7140w-5",
        "7140w-" + "f" * 40,
        "7140w" + "f" * 17,
        "7140w 1",
        "7140w1_0",
        "7140W1",
    ],
)
def test_a_token_nobody_gave_is_refused(shelf: Shelf, token: str) -> None:
    answer = shelf.client.get(f"/2/users/{shelf.client.id}/tweets", pagination_token=token)
    assert answer.status_code == 400
    assert list(answer.json()["errors"][0]["parameters"]) == ["pagination_token"]


def test_a_token_may_be_used_again(shelf: Shelf) -> None:
    token = shelf.page(max_results=5)["meta"]["next_token"]
    assert shelf.page(pagination_token=token) == shelf.page(pagination_token=token)


def test_the_size_of_pages_may_change_on_the_way(shelf: Shelf) -> None:
    token = shelf.page(max_results=5)["meta"]["next_token"]
    rest = shelf.page(max_results=100, pagination_token=token)
    assert [post["id"] for post in rest["data"]] == shelf.ids[-6::-1]


def test_a_token_does_not_reach_past_until_id(shelf: Shelf) -> None:
    page = shelf.page(until_id=shelf.ids[3], pagination_token=page_token(int(shelf.ids[9])))
    assert [post["id"] for post in page["data"]] == shelf.ids[:3][::-1]


@pytest.mark.parametrize(
    ("size", "status"), [("4", 400), ("5", 200), ("100", 200), ("101", 400), ("-5", 400), ("", 400)]
)
@pytest.mark.parametrize("kind", ["tweets", "mentions"])
def test_a_page_has_5_to_100_posts(shelf: Shelf, kind: str, size: str, status: int) -> None:
    answer = shelf.client.get(f"/2/users/{shelf.client.id}/{kind}", max_results=size)
    assert answer.status_code == status


def test_posts_come_back_in_the_order_asked_for(shelf: Shelf) -> None:
    asked = [shelf.ids[number] for number in (4, 20, 0, 13)]
    found = shelf.client.get("/2/tweets", ids=",".join(asked)).json()["data"]
    assert [post["id"] for post in found] == asked
