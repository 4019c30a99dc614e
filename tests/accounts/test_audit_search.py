"""Searching the trail, its pages, its files and its API."""

import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import record
from accounts.audit_anchor import anchor_chains
from accounts.audit_queries import AuditFilter, as_text, changes_of, search_entries
from accounts.models import AuditDetail, AuditEntry, Role
from accounts.scope import workspace_scope
from accounts.services import change_role, update_workspace
from lib.clock import now, shifted

pytestmark = pytest.mark.django_db
PAGE, EXPORT = "/settings/audit", "/settings/audit/export"


@pytest.fixture
def trail(workspace, alice_actor, bob_actor):
    """1 workspace.create; 2 settings by alice; 3 and 4 acts by bob; 5 yesterday's by alice."""
    with workspace_scope(workspace.pk):
        update_workspace(by=alice_actor, name="Roastery & Sons", four_eyes=True)
        record("test.act", workspace, by=bob_actor, note='He said "烘焙" \\ and left')
        record("Test.act", bob_actor.user, by=bob_actor, before={"a": 1, "b": 2}, after={"a": 1, "b": 3})
        with shifted(-timedelta(days=1)):
            record("test.act", workspace, by=alice_actor, sum="=1+1")
    return workspace


def found(actor, **query) -> list[int]:
    with workspace_scope(actor.workspace.pk):
        return [entry.number for entry in search_entries(actor, AuditFilter.of(query))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"action": "test.act"}, [5, 3]),
        ({"action": "test"}, []),
        ({"who": "BOB"}, [4, 3]),
        ({"who": "%"}, []),
        ({"about": "user"}, [4]),
        ({"about": "{workspace}"}, [5, 3, 2, 1]),
        ({"about": "Workspace {workspace}"}, [5, 3, 2, 1]),
        ({"about": "user {workspace}"}, []),
        ({"q": "烘焙"}, [3]),
        ({"q": '"烘焙" \\'}, [3]),
        ({"q": "sons"}, [2]),
        ({"q": "_ons"}, []),
        ({"q": "four_eyes"}, [2]),
        ({"from": "{today}"}, [4, 3, 2, 1]),
        ({"to": "{yesterday}"}, [5]),
        ({"from": "{yesterday}", "to": "{yesterday}"}, [5]),
        ({"from": "{today}", "to": "{yesterday}"}, []),
        ({"action": "test.act", "who": "bob", "q": "said"}, [3]),
        ({"from": "yesterday", "to": "0001-01-01", "who": "\0"}, [5, 4, 3, 2, 1]),
    ],
)
def test_search_finds_what_was_asked_for(trail, alice_actor, query, expected):
    today = now().astimezone(ZoneInfo(trail.time_zone)).date()
    words = {"workspace": str(trail.pk), "today": str(today), "yesterday": str(today - timedelta(days=1))}
    assert found(alice_actor, **{name: value.format(**words) for name, value in query.items()}) == expected


def test_days_are_those_of_the_workspace(workspace, alice_actor):
    # 23:30 in UTC is the next day in Berlin.
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    with workspace_scope(workspace.pk), shifted(moment - now()):
        record("test.act", workspace, by=alice_actor)
    assert found(alice_actor, **{"from": "2026-03-02", "to": "2026-03-02"}) == [2]
    assert found(alice_actor, to="2026-03-01") == []


def test_search_is_for_admins_and_for_ones_own_workspace(trail, bob_actor, charlie_actor):
    with pytest.raises(PermissionDenied):
        found(bob_actor)
    assert found(charlie_actor, who="alice") == []
    assert found(charlie_actor) == [1]


MANY = """
INSERT INTO accounts_auditentry (workspace_id, number, at, action, object_kind, object_id, digest, previous_hash, hash)
SELECT %s, 1000 + n, now() - n * interval '1 hour', 'other.' || n %% 50, 'post', n::text, '', '', ''
FROM generate_series(1, 5000) n
"""


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"action": "test.act"}, "audit_action"),
        ({"about": "workspace 1"}, "audit_object"),
        ({"from": "2026-01-01", "to": "2026-01-02"}, "audit_at"),
    ],
)
def test_search_in_a_long_trail_uses_an_index(trail, alice_actor, query, index):
    with workspace_scope(trail.pk), connection.cursor() as cursor:
        cursor.execute(MANY, [trail.pk])
        cursor.execute("ANALYZE accounts_auditentry")
        assert index in search_entries(alice_actor, AuditFilter.of(query)).explain()


# --- before and after ---------------------------------------------------------------------------------------


def changes(number: int) -> list[tuple[str, str | None, str]]:
    entry = AuditEntry.objects.select_related("detail").get(number=number)
    return [(change.name, change.before, change.after) for change in changes_of(entry)]


def test_settings_show_what_was_so_before_and_after(trail):
    with workspace_scope(trail.pk):
        assert sorted(changes(2)) == [("four eyes", "no", "yes"), ("name", "Roastery", "Roastery & Sons")]


def test_only_what_differs_is_shown(trail):
    with workspace_scope(trail.pk):
        assert changes(4) == [("b", "2", "3")]


def test_a_role_shows_what_it_was(workspace, alice_actor, vic_actor):
    with workspace_scope(workspace.pk):
        change_role(vic_actor.user.memberships.get().pk, Role.EDITOR, by=alice_actor)
        assert ("role", "viewer", "editor") in changes(2)


def test_erased_entry_shows_no_details(trail):
    with workspace_scope(trail.pk):
        AuditDetail.objects.filter(entry__number=2).delete()
        assert changes(2) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("", "nothing"),
        ([], "nothing"),
        (0, "0"),
        (False, "no"),
        (["a", None], "a, nothing"),
        ({"time_zone": "UTC", "on": True}, "time zone: UTC; on: yes"),
    ],
)
def test_values_read_like_words(value, text):
    assert as_text(value) == text


# --- the page -------------------------------------------------------------------------------------------------


def html(response) -> str:
    return " ".join(response.content.decode().split())


def test_page_shows_before_and_after_and_the_way_to_the_history(alice_client, trail):
    page = html(alice_client.get(PAGE, {"q": "Sons"}))
    assert '<del class="prewrap">Roastery</del>' in page
    assert '<ins class="prewrap">Roastery &amp; Sons</ins>' in page
    assert f"{PAGE}?about=workspace%20{trail.pk}" in page


def test_history_of_an_object_shows_that_object_only(alice_client, trail, bob_actor):
    response = alice_client.get(f"{PAGE}?about=user%20{bob_actor.user.pk}")
    assert [entry.number for entry in response.context["rows"]] == [4]


def test_page_without_a_hit_offers_the_way_back(alice_client, trail):
    page = html(alice_client.get(PAGE, {"q": "nothing like it"}))
    assert "Nothing found" in page
    assert "Show everything" in page


def test_older_page_keeps_the_filter(alice_client, workspace, alice_actor, trail):
    with workspace_scope(workspace.pk):
        for _ in range(60):
            record("test.many", workspace, by=alice_actor)
    page = html(alice_client.get(PAGE, {"action": "test.many"}))
    assert "?action=test.many&amp;before=16" in page


def test_number_of_queries_does_not_grow_with_the_rows(alice_client, workspace, alice_actor, trail):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(PAGE)
        return len(queries)

    alice_client.get(PAGE)
    few = count()
    with workspace_scope(workspace.pk):
        for _ in range(20):
            record("test.act", workspace, by=alice_actor, before=1, after=2)
    assert count() == few


def test_verify_says_what_an_anchor_covers(alice_client, trail):
    assert "No anchor outside the database covers it yet" in html(alice_client.get(PAGE, {"verify": "1"}))
    anchor_chains()
    page = html(alice_client.get(PAGE, {"verify": "1"}))
    assert "All 5 entries follow one another" in page
    assert "Up to entry 5, an anchor of" in page


def test_verify_names_an_anchor_file_that_is_gone(alice_client, trail):
    path = anchor_chains()
    path.unlink()
    page = html(alice_client.get(PAGE, {"verify": "1"}))
    assert "The chain is broken" in page
    assert f"anchor file {path.name} is missing" in page


# --- files ----------------------------------------------------------------------------------------------------


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


def test_csv_has_every_entry_and_no_formula(alice_client, alice_actor, trail):
    with workspace_scope(trail.pk):
        record("test.act", trail, by=alice_actor)
        AuditDetail.objects.filter(entry__number=6).update(actor="=cmd|' /C calc'!A0")
    response = alice_client.get(EXPORT)
    text = body(response)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["number"] for row in rows] == ["6", "5", "4", "3", "2", "1"]
    assert rows[0]["who"] == "'=cmd|' /C calc'!A0"
    assert json.loads(rows[1]["details"]) == {"sum": "=1+1"}
    assert response["Content-Disposition"].startswith('attachment; filename="audit-roastery-')


def test_json_lines_can_be_checked_by_anybody(alice_client, trail):
    lines = [json.loads(line) for line in body(alice_client.get(EXPORT, {"as": "jsonl"})).splitlines()]
    assert [line["number"] for line in lines] == [5, 4, 3, 2, 1]
    for line, older in zip(lines, [*lines[1:], None], strict=True):
        words = json.dumps(
            [line["salt"], line["who"], line["data"]], sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        assert hashlib.sha256(words.encode()).hexdigest() == line["digest"]
        names = ("number", "at", "action", "object_kind", "object_id", "digest", "previous_hash")
        link = json.dumps([str(trail.pk), *(line[name] for name in names)], separators=(",", ":"))
        assert hashlib.sha256(link.encode()).hexdigest() == line["hash"]
        assert line["previous_hash"] == (older["hash"] if older else "")


def test_file_holds_what_the_filter_found(alice_client, trail):
    lines = body(alice_client.get(EXPORT, {"as": "jsonl", "who": "bob", "before": "4"})).splitlines()
    assert [json.loads(line)["number"] for line in lines] == [4, 3]


def test_file_of_an_erased_entry_says_nothing_of_it(alice_client, trail):
    with workspace_scope(trail.pk):
        AuditDetail.objects.filter(entry__number=2).delete()
    line = json.loads(body(alice_client.get(EXPORT, {"as": "jsonl", "action": "workspace.update"})))
    assert (line["who"], line["data"], line["salt"]) == ("", {}, "")


def test_long_file_is_read_in_batches(alice_client, alice_actor, trail, monkeypatch):
    monkeypatch.setattr("accounts.audit_export.BATCH", 2)
    assert len(body(alice_client.get(EXPORT, {"as": "jsonl"})).splitlines()) == 5


@pytest.mark.parametrize("path", [PAGE, EXPORT, f"{PAGE}?verify=1"])
def test_only_admins_see_the_trail(path, alice_client, bob_client, rita_client, vic_client, gwen_client, trail):
    assert alice_client.get(path).status_code == 200
    assert [client.get(path).status_code for client in (bob_client, rita_client, vic_client, gwen_client)] == [403] * 4


# --- API ------------------------------------------------------------------------------------------------------


def test_api_lists_newest_first_in_pages(api, alice, trail):
    first = api(alice).get("/api/audit?page_size=3").json()
    assert [row["number"] for row in first["results"]] == [5, 4, 3]
    second = api(alice).get(first["next"]).json()
    assert [row["number"] for row in second["results"]] == [2, 1]
    assert second["results"][0]["data"]["changed"]["name"] == ["Roastery", "Roastery & Sons"]


def test_api_filters_like_the_page(api, alice, trail):
    rows = api(alice).get("/api/audit", {"who": "bob", "q": "烘焙"}).json()["results"]
    assert [(row["number"], row["who"]) for row in rows] == [(3, "bob@example.org")]


def test_api_shows_an_erased_entry_without_its_words(api, alice, trail):
    with workspace_scope(trail.pk):
        AuditDetail.objects.filter(entry__number=5).delete()
    row = api(alice).get("/api/audit").json()["results"][0]
    assert (row["number"], row["who"], row["data"]) == (5, "", {})


@pytest.mark.parametrize("query", [{"from": "today"}, {"to": "0001-01-01"}, {"q": "x" * 121}])
def test_api_refuses_what_makes_no_sense(api, alice, trail, query):
    answer = api(alice).get("/api/audit", query)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(query)


def test_api_exports(api, alice, trail):
    answer = api(alice).get("/api/audit/export", {"as": "jsonl", "action": "test.act"})
    assert [json.loads(line)["number"] for line in body(answer).splitlines()] == [5, 3]
    assert api(alice).get("/api/audit/export", {"as": "pdf"}).status_code == 400


def test_api_verifies(api, alice, trail):
    path = anchor_chains()
    whole = api(alice).get("/api/audit/verify").json()
    assert whole == {
        "is_whole": True,
        "entries": 5,
        "anchors": 1,
        "anchored_to": 5,
        "anchored_on": path.name[:10],
        "faults": [],
    }
    with workspace_scope(trail.pk):
        AuditDetail.objects.filter(entry__number=3).update(actor="mallory")
    broken = api(alice).get("/api/audit/verify").json()
    assert (broken["is_whole"], broken["faults"]) == (False, ["the detail of entry 3 was changed"])


@pytest.mark.parametrize("path", ["/api/audit", "/api/audit/export", "/api/audit/verify"])
def test_api_is_for_admins_and_never_for_keys(path, api, api_key, bob, rita, vic, gwen, trail):
    for caller in (bob, rita, vic, gwen, api_key()):
        assert api(caller).get(path).status_code == 403
    assert api().get(path).status_code == 401


def test_api_shows_nothing_of_another_workspace(api, charlie, other_workspace, trail):
    assert [row["number"] for row in api(charlie).get("/api/audit").json()["results"]] == [1]
    assert api(charlie, workspace=trail).get("/api/audit").status_code == 404
