"""Conversions: each key once, for the last click before it, whichever door they come through."""

from datetime import timedelta
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from accounts.scope import workspace_scope
from analytics.models import Conversion, Event, Exposure, Link, Tracking
from analytics.rollups import counts
from analytics.tracking.clicks import instant_of, new_click
from analytics.tracking.conversions import KeyReused, book, read_click, read_value
from analytics.tracking.links import set_split
from analytics.tracking.tracking import change_tracking
from lib.clock import now, shifted
from tests.analytics.tracking.conftest import PERSON

EXPERIMENT = uuid4()


@pytest.fixture
def tracking(alice_actor, workspace) -> Tracking:
    with workspace_scope(workspace.pk):
        return change_tracking(by=alice_actor, currency="EUR", attribution_days=7)


@pytest.fixture
def split(link: Link) -> None:
    arms = [{"key": key, "url": f"https://acme.example/{key}", "weight": 1} for key in "ab"]
    with workspace_scope(link.workspace_id):
        set_split(link, {"experiment": str(EXPERIMENT), "salt": "s", "arms": arms}, variants=False)


def click(client: Client, link: Link, **extra) -> UUID:
    answer = client.get(f"/l/{link.code}", **extra)
    return UUID(parse_qs(urlsplit(answer["Location"]).query)["rcid"][0])


def stored(workspace) -> list[Conversion]:
    with workspace_scope(workspace.pk):
        return list(Conversion.objects.order_by("key"))


def events(workspace) -> list[Event]:
    with workspace_scope(workspace.pk):
        return list(Event.objects.filter(kind="conversion").order_by("number"))


def exposure(workspace) -> Exposure:
    with workspace_scope(workspace.pk):
        return Exposure.objects.get()


# --- whose click ------------------------------------------------------------------------------------------


def test_a_click_is_found_by_its_id(workspace, person, link, tracking, split) -> None:
    pk = click(person, link)
    row, is_new = book(workspace, key="1", value_micro=5_000_000, click_id=pk)
    assert is_new
    assert (row.click_id, row.link_id, row.clicked_at) == (pk, link.pk, instant_of(pk))
    event = events(workspace)[0]
    assert (event.pk, event.name, event.link_id, event.arm) == (row.pk, "purchase", link.pk, row.arm)
    assert event.visitor == row.visitor == exposure(workspace).unit
    assert exposure(workspace).converted_at == row.at
    assert exposure(workspace).value_micro == 5_000_000


def test_a_visitor_without_an_id_gets_their_last_click(workspace, person, link, tracking) -> None:
    click(person, link)
    with shifted(timedelta(minutes=5)):
        last = click(person, link)
    with workspace_scope(workspace.pk):
        visitor = Event.objects.get(pk=last).visitor
    with shifted(timedelta(hours=1)):
        assert book(workspace, key="1", visitor=visitor)[0].click_id == last
    assert book(workspace, key="2", visitor=visitor, at=now() - timedelta(hours=1))[0].click_id is None


@pytest.mark.parametrize(("days", "found"), [(6.9, True), (7.1, False)])
def test_a_click_counts_for_so_many_days(workspace, person, link, tracking, days, found) -> None:
    pk = click(person, link)
    with shifted(timedelta(days=days)):
        row, _ = book(workspace, key="1", click_id=pk)
    assert (row.click_id == pk, row.link_id == link.pk) == (found, found)


@pytest.mark.parametrize("wrong", [uuid4(), new_click(now())[0], UUID(int=0)])
def test_an_id_that_is_no_click_is_booked_for_none(workspace, link, tracking, wrong) -> None:
    row, is_new = book(workspace, key="1", click_id=wrong)
    assert (is_new, row.click_id, row.link_id) == (True, None, None)


def test_another_workspace_s_click_is_none_of_ours(person, link, tracking, other_workspace) -> None:
    assert book(other_workspace, key="1", click_id=click(person, link))[0].click_id is None


def test_a_conversion_outlives_its_link(workspace, person, link, tracking) -> None:
    pk = click(person, link)
    with workspace_scope(workspace.pk):
        link.delete()
    row, _ = book(workspace, key="1", click_id=pk)
    assert (row.click_id, row.link_id) == (pk, None)


# --- once -------------------------------------------------------------------------------------------------


def test_the_same_again_is_the_same(workspace, person, link, tracking, split) -> None:
    pk = click(person, link)
    first, _ = book(workspace, key="1", value_micro=7, click_id=pk)
    again, is_new = book(workspace, key="1", value_micro=7, click_id=pk)
    assert (again.pk, is_new) == (first.pk, False)
    assert len(events(workspace)) == 1
    assert exposure(workspace).value_micro == 7


@pytest.mark.parametrize("other", [{"value_micro": 8}, {"goal": "signup"}, {"data": {"a": 1}}, {"visitor": "a" * 32}])
def test_the_same_key_for_something_else_is_refused(workspace, other) -> None:
    book(workspace, key="1", value_micro=7)
    with pytest.raises(KeyReused, match="was used for another"):
        book(workspace, key="1", **({"value_micro": 7} | other))
    assert [row.value_micro for row in stored(workspace)] == [7]


def test_a_late_conversion_moves_the_first_one_back(workspace, person, link, tracking, split) -> None:
    pk, start = click(person, link), now()
    for key, hours, value in [("b", 3, 10), ("a", 1, 20), ("c", 5, 40), ("refund", 6, -10)]:
        book(workspace, key=key, click_id=pk, value_micro=value, at=start + timedelta(hours=hours))
    seen = exposure(workspace)
    assert seen.converted_at == start + timedelta(hours=1)
    assert seen.value_micro == 60
    day = start.date() - timedelta(days=1)
    total = counts(workspace.pk, day, day + timedelta(days=3), kinds=("conversion",))[0]
    # The refund is no conversion, it takes its value back.
    assert (total["events"], total["value_micro"]) == (3, 60)


def test_a_refund_alone_converts_nobody(workspace, person, link, tracking, split) -> None:
    book(workspace, key="1", click_id=click(person, link), value_micro=-5)
    assert exposure(workspace).converted_at is None


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_is_one_conversion(workspace, person, link, tracking, split) -> None:
    pk, found = click(person, link), []

    def tell() -> None:
        try:
            found.append(book(workspace, key="1", value_micro=3, click_id=pk))
        finally:
            connection.close()

    threads = [Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_new for _, is_new in found) == [False, False, False, True]
    assert len(events(workspace)) == 1
    assert exposure(workspace).value_micro == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "x" * 121}, "key"),
        ({"goal": "g" * 61}, "goal"),
        ({"at": now() + timedelta(days=2)}, "at"),
        ({"at": now() - timedelta(days=500)}, "at"),
        ({"value_micro": 10**18}, "value"),
        ({"visitor": "somebody"}, "visitor"),
        ({"data": {"a": "x" * 5000}}, "data"),
        ({"data": {"a": float("nan")}}, "data"),
        ({"data": {"a": "\x00"}}, "data"),
    ],
)
def test_what_cannot_be_booked_says_which_field(workspace, wrong, field) -> None:
    with pytest.raises(ValidationError) as raised:
        book(workspace, **({"key": "1"} | wrong))
    assert list(raised.value.message_dict) == [field]


@pytest.mark.parametrize(("text", "micro"), [("49.90", 49_900_000), ("", 0), ("-1e2", -100_000_000), ("0.0000004", 0)])
def test_values_are_read_exactly(text, micro) -> None:
    assert read_value(text) == micro


@pytest.mark.parametrize("text", ["1,5", "NaN", "inf", "1e999", "€5"])
def test_values_that_are_none(text) -> None:
    with pytest.raises(ValidationError):
        read_value(text)


def test_an_id_is_read_or_left_out() -> None:
    assert read_click(" 0190f6b6-6f6e-7c3a-8e2a-1d2f3a4b5c6d ") == UUID("0190f6b6-6f6e-7c3a-8e2a-1d2f3a4b5c6d")
    assert [read_click(text) for text in ("", "null", "{click}")] == [None] * 3


# --- the API ------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(api, alice, workspace):
    return api(alice)


def tell(shop, body, **headers):
    return shop.post("/api/conversions", body, format="json", headers=headers)


def test_a_shop_tells_a_conversion(shop, workspace, person, link, tracking) -> None:
    pk = click(person, link)
    answer = tell(shop, {"key": "A-1", "value": "49.90", "click": str(pk), "data": {"items": 2}})
    assert answer.status_code == 200
    (row,) = answer.json()["conversions"]
    assert (row["key"], row["value"], row["click"], row["link"]) == ("A-1", "49.900000", str(pk), str(link.pk))
    assert tell(shop, {"key": "A-1", "value": "49.9", "click": str(pk), "data": {"items": 2}}).json() == answer.json()
    conflict = tell(shop, {"key": "A-1", "value": "50", "click": str(pk)})
    assert (conflict.status_code, conflict.json()["code"]) == (409, "key_reused")
    assert len(stored(workspace)) == 1


def test_a_batch_is_booked_whole_or_not_at_all(shop, workspace) -> None:
    rows = [{"key": f"k{number}", "value": number} for number in range(30)]
    assert len(tell(shop, {"conversions": rows}).json()["conversions"]) == 30
    wrong = [{"key": "new"}, {"key": "k3", "value": 99}]
    assert tell(shop, {"conversions": wrong}).status_code == 409
    assert tell(shop, {"conversions": [{"key": "new"}, {"value": 1}]}).json()["errors"]["conversions"] == {
        "1": {"key": ["This field is required."]}
    }
    assert (
        "1"
        in tell(shop, {"conversions": [{"key": "new"}, {"key": "x", "visitor": "y"}]}).json()["errors"]["conversions"]
    )
    assert len(stored(workspace)) == 30


def test_a_batch_may_name_a_key_twice(shop, workspace) -> None:
    assert tell(shop, {"conversions": [{"key": "a"}, {"key": "a"}]}).status_code == 200
    assert tell(shop, {"conversions": [{"key": "b"}, {"key": "b", "value": 1}]}).status_code == 409
    assert [row.key for row in stored(workspace)] == ["a"]


@pytest.mark.parametrize(
    "body", [{}, {"conversions": []}, {"conversions": [{"key": "x"}] * 1001}, {"key": "a", "at": "x"}]
)
def test_bodies_that_cannot_be_read(shop, body) -> None:
    assert tell(shop, body).status_code == 400


def test_an_idempotency_key_repeats_the_answer(shop, workspace) -> None:
    first = tell(shop, {"key": "a"}, **{"Idempotency-Key": "i"})
    again = tell(shop, {"key": "a"}, **{"Idempotency-Key": "i"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert tell(shop, {"key": "b"}, **{"Idempotency-Key": "i"}).status_code == 422


def test_viewers_tell_nothing(api, vic, workspace) -> None:
    assert tell(api(vic), {"key": "a"}).status_code == 403


# --- the pixel ----------------------------------------------------------------------------------------------


def test_the_pixel_books_what_its_page_says(client, workspace, person, link, tracking) -> None:
    pk = click(person, link)
    answer = Client(headers=PERSON).get(f"/t/{tracking.pixel_key}.gif?goal=order&value=12.5&key=o1&rcid={pk}")
    assert (answer["Content-Type"], answer.content[:6]) == ("image/gif", b"GIF89a")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    (row,) = stored(workspace)
    assert (row.key, row.goal, row.value_micro, row.click_id, row.source) == ("o1", "order", 12_500_000, pk, "pixel")


def test_a_pixel_without_a_key_counts_once_per_click_and_goal(workspace, person, link, tracking) -> None:
    pk = click(person, link)
    for goal in ("order", "order", "signup"):
        person.get(f"/t/{tracking.pixel_key}.gif?g={goal}&c={pk}&v=1")
    assert sorted(row.goal for row in stored(workspace)) == ["order", "signup"]


def test_a_pixel_without_a_click_knows_the_visitor_of_the_day(workspace, person, link, tracking) -> None:
    pk = click(person, link)
    person.get(f"/t/{tracking.pixel_key}.gif?key=1")
    person.get(f"/t/{tracking.pixel_key}.gif?key=2", REMOTE_ADDR="203.0.113.1")
    assert [row.click_id for row in stored(workspace)] == [pk, None]


def test_a_pixel_never_breaks_a_page(person, workspace, tracking, link) -> None:
    for query in ("value=lots", "key=" + "x" * 300, "key=a&value=1", "key=a&value=2", "rcid=%00", "goal=%F0%9F%98%80"):
        assert person.get(f"/t/{tracking.pixel_key}.gif?{query}").status_code == 200
    assert person.get("/t/unknown.gif?key=1")["X-Outcome"] == "Nobody's pixel."
    assert person.get("/t/unknown.js").status_code == 404


def test_a_view_is_an_event_of_its_click(person, workspace, link, tracking) -> None:
    pk = click(person, link)
    person.get(f"/t/{tracking.pixel_key}.gif?view=1&rcid={pk}")
    with workspace_scope(workspace.pk):
        seen = Event.objects.get(kind="view")
        assert (seen.link_id, seen.visitor) == (link.pk, Event.objects.get(pk=pk).visitor)
    assert stored(workspace) == []


def test_the_script_is_served_to_every_page(person, tracking) -> None:
    answer = person.get(f"/t/{tracking.pixel_key}.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert b"document.cookie" not in answer.content


def test_the_pixel_of_a_suspended_workspace_books_nothing(person, workspace, tracking) -> None:
    workspace.is_suspended = True
    workspace.save(update_fields=["is_suspended"])
    person.get(f"/t/{tracking.pixel_key}.gif?key=1")
    assert stored(workspace) == []
