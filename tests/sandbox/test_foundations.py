"""The floor the platforms stand on: store, clock, ids, ledger, routes and messages."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import ledger, platforms
from sandbox.clock import Clock, iso, parse_iso
from sandbox.ledger import Effect, Entry
from sandbox.router import Platform, Route, find_route
from sandbox.store import Store
from sandbox.wire import MalformedBody, Request, json_response, multipart_parts
from sandbox.world import World, open_world
from sandbox.x import accounts
from sandbox.x.ids import EPOCH_MS, next_id

NOW = 1_800_000_000.123


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "db", "CREATE TABLE IF NOT EXISTS notes (text TEXT);")
    yield opened
    opened.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    opened = open_world(tmp_path, platforms.SCHEMAS)
    yield opened
    opened.store.close()


def note(store: Store, text: str) -> None:
    store.db.execute("INSERT INTO notes VALUES (?)", (text,))


def notes(store: Store) -> list[str]:
    return [row["text"] for row in store.db.execute("SELECT text FROM notes ORDER BY rowid")]


def test_a_transaction_keeps_what_was_written(store: Store) -> None:
    with store.transaction():
        note(store, "kept")
    assert notes(store) == ["kept"]


def fail_after(store: Store, text: str) -> None:
    with store.transaction():
        note(store, text)
        raise KeyError(text)


def test_a_transaction_that_fails_takes_everything_back(store: Store) -> None:
    with pytest.raises(KeyError):
        fail_after(store, "lost")
    assert notes(store) == []


def test_after_a_failure_the_next_transaction_works(store: Store) -> None:
    with pytest.raises(KeyError):
        fail_after(store, "lost")
    with store.transaction():
        note(store, "kept")
    assert notes(store) == ["kept"]


def test_an_inner_transaction_is_part_of_the_outer_one(store: Store) -> None:
    def fail_outside() -> None:
        with store.transaction():
            with store.transaction():
                note(store, "inner")
            raise KeyError("outer")

    with pytest.raises(KeyError):
        fail_outside()
    assert notes(store) == []


def test_transactions_of_threads_wait_for_each_other(store: Store) -> None:
    def read_and_write() -> None:
        for _ in range(50):
            with store.transaction():
                note(store, str(len(notes(store))))

    threads = [threading.Thread(target=read_and_write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert notes(store) == [str(number) for number in range(200)]


def test_clearing_forgets_rows_and_keeps_tables(store: Store) -> None:
    store.db.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    store.db.execute("INSERT INTO counted DEFAULT VALUES")
    store.clear()
    store.db.execute("INSERT INTO counted DEFAULT VALUES")
    assert [row["id"] for row in store.db.execute("SELECT id FROM counted")] == [1]


def test_a_clock_remembers_its_offset_when_it_is_opened_again(world: World) -> None:
    world.clock.advance(500)
    world.clock.advance(0.5)
    assert Clock(world.store.db).offset == 500.5


def test_a_clock_that_was_restarted_has_no_offset(world: World) -> None:
    world.clock.advance(500)
    world.clock.restart()
    assert (world.clock.offset, Clock(world.store.db).offset) == (0, 0)


@given(st.floats(0, 4_000_000_000))
def test_an_instant_survives_being_written_to_the_millisecond(moment: float) -> None:
    assert parse_iso(iso(moment)) == pytest.approx(moment, abs=0.0011)


@given(st.floats(0, 4_000_000_000), st.floats(0, 4_000_000_000))
def test_written_instants_sort_like_time(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert iso(low) <= iso(high)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_800_000_000.5, "2027-01-15T08:00:00.500Z"),
        (0.9999, "1970-01-01T00:00:00.999Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_milliseconds(moment: float, text: str) -> None:
    assert iso(moment) == text


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01", "soon", ""])
def test_what_has_no_zone_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|isoformat"):
        parse_iso(text)


def test_an_id_carries_its_time(world: World) -> None:
    assert (next_id(world.store.db, NOW) >> 22) + EPOCH_MS == int(NOW * 1000)


def test_ids_of_one_instant_differ_and_grow(world: World) -> None:
    ids = [int(accounts.ensure(world.store.db, f"a{number}", NOW)["id"]) for number in range(20)]
    assert ids == sorted(set(ids))


def test_an_id_grows_even_when_the_clock_was_set_back(world: World) -> None:
    late = int(accounts.ensure(world.store.db, "late", NOW + 10**6)["id"])
    assert int(accounts.ensure(world.store.db, "early", NOW)["id"]) == late + 1


def test_an_id_fits_into_a_snowflake_for_decades(world: World) -> None:
    assert next_id(world.store.db, NOW + 40 * 365 * 86400) < 2**63


def write(world: World, account: str | None, effect: Effect | None, path: str = "/a", query: str = "") -> None:
    request = Request("GET", path, query, {})
    ledger.write(world.store.db, Entry(NOW, "x", request, "200", account, account and f"id-{account}", effect))


def test_a_row_of_the_ledger_says_everything(world: World) -> None:
    write(world, "alice", Effect("post", "7", "Hello"), "/2/tweets", "a=b")
    [row] = ledger.read(world.store.db, None, None, 0, 10)
    expected = {
        "seq": 1,
        "time": iso(NOW),
        "platform": "x",
        "account": "alice",
        "account_id": "id-alice",
        "method": "GET",
        "path": "/2/tweets?a=b",
        "effect": "post",
        "effect_id": "7",
        "text": "Hello",
        "outcome": "200",
        "fault": None,
        "cost_micro": 0,
    }
    assert {name: value for name, value in row.items() if name != "request_hash"} == expected


@pytest.mark.parametrize(
    ("account", "effect", "since", "limit", "sequence"),
    [
        (None, None, 0, 10, [1, 2, 3, 4]),
        ("alice", None, 0, 10, [1, 2]),
        ("ALICE", None, 0, 10, [1, 2]),
        ("id-bob", None, 0, 10, [3]),
        (None, "post", 0, 10, [1, 3]),
        ("alice", "post", 0, 10, [1]),
        (None, None, 2, 10, [3, 4]),
        (None, None, 0, 2, [1, 2]),
        ("nobody", None, 0, 10, []),
        (None, None, 4, 10, []),
    ],
)
def test_the_ledger_is_read_by_account_effect_and_place(
    world: World, account: str | None, effect: str | None, since: int, limit: int, sequence: list[int]
) -> None:
    post = Effect("post", "7")
    for who, what in (("alice", post), ("alice", None), ("bob", post), (None, None)):
        write(world, who, what)
    assert [row["seq"] for row in ledger.read(world.store.db, account, effect, since, limit)] == sequence


def test_the_latest_rows_come_newest_first(world: World) -> None:
    for _ in range(5):
        write(world, None, None)
    assert [row["seq"] for row in ledger.latest(world.store.db, 3)] == [5, 4, 3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Request("GET", "/a", "", {}), Request("POST", "/a", "", {})),
        (Request("GET", "/a", "", {}), Request("GET", "/b", "", {})),
        (Request("GET", "/a", "x", {}), Request("GET", "/a", "y", {})),
        (Request("GET", "/a", "", {}, b"1"), Request("GET", "/a", "", {}, b"2")),
    ],
)
def test_different_requests_have_different_digests(one: Request, other: Request) -> None:
    assert one.digest() != other.digest()


def test_headers_do_not_change_a_digest() -> None:
    assert Request("GET", "/a", "", {"A": "1"}).digest() == Request("GET", "/a", "", {}).digest()


ROUTES = [
    Route("GET", "/a/{id}", lambda call: json_response(200, {})),
    Route("GET", "/a/me", lambda call: json_response(200, {})),
]
PLATFORM = Platform("p", "/p", ROUTES, not_found=lambda status: json_response(status, {}))


@pytest.mark.parametrize(
    ("method", "path", "name", "args", "is_known"),
    [
        ("GET", "/p/a/7", "GET /a/{id}", {"id": "7"}, False),
        ("GET", "/p/a/me", "GET /a/{id}", {"id": "me"}, False),
        ("POST", "/p/a/7", None, {}, True),
        ("GET", "/p/a/", None, {}, False),
        ("GET", "/p/a/7/8", None, {}, False),
        ("GET", "/p/a/7\n", "GET /a/{id}", {"id": "7\n"}, False),
        ("GET", "/p", None, {}, False),
    ],
)
def test_a_path_finds_the_first_route_that_fits(
    method: str, path: str, name: str | None, args: dict[str, str], is_known: bool
) -> None:
    match = find_route([PLATFORM], Request(method, path, "", {}))
    assert match is not None
    assert (match.route and match.route.name, match.args, match.is_known_path) == (name, args, is_known)


@pytest.mark.parametrize("path", ["/", "/q", "/pp/a/7", "p/a/7", ""])
def test_a_path_outside_the_prefix_finds_no_platform(path: str) -> None:
    assert find_route([PLATFORM], Request("GET", path, "", {})) is None


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=4))
def test_json_goes_out_and_comes_in_unchanged(data: dict[str, str]) -> None:
    response = json_response(200, data)
    assert Request("POST", "/", "", {}, response.body).json() == json.loads(response.body) == data


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80).filter(lambda content: b"--frontier" not in content))
def test_the_bytes_of_a_part_come_out_as_they_went_in(content: bytes) -> None:
    body = b'--frontier\r\ncontent-disposition: form-data; name="m"\r\n\r\n' + content + b"\r\n--frontier--\r\n"
    request = Request("POST", "/", "", {"Content-Type": "multipart/form-data; boundary=frontier"}, body)
    assert multipart_parts(request)["m"].content == content


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_a_body_is_json_or_malformed_and_nothing_else(content: bytes) -> None:
    request = Request("POST", "/", "", {}, b"{]" + content)
    with pytest.raises(MalformedBody):
        request.json()


def test_a_world_that_forgets_keeps_its_schema(world: World) -> None:
    (world.media_dir / "1.parts").mkdir(parents=True)
    accounts.ensure(world.store.db, "alice", NOW)
    world.forget_everything()
    assert not world.media_dir.exists()
    assert accounts.everybody(world.store.db) == []


def test_a_database_of_another_process_is_read_as_it_was_left(world: World, tmp_path: Path) -> None:
    accounts.ensure(world.store.db, "alice", NOW)
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as other:
        assert other.execute("SELECT handle FROM x_accounts").fetchall() == [("alice",)]
