"""/api/users/{id}/…: one's own corner, and nobody else's."""

from uuid import uuid4

import pytest

from accounts.scope import workspace_scope
from personal.models import Brief, Watch
from personal.preferences import change_preferences
from tests.personal.conftest import read_all
from tests.personal.test_archive import OLD, add_brief

pytestmark = pytest.mark.django_db
PATHS = ("preferences", "watchlist", "briefs", "reports")


@pytest.fixture
def me(api, alice, workspace, providers):
    client = api(alice)
    client.root = f"/api/users/{alice.pk}"
    return client


def etag(answer) -> str:
    return answer.headers["ETag"]


# --- preferences --------------------------------------------------------------------------------------------


def test_preferences_are_read_changed_and_replaced(me) -> None:
    path = f"{me.root}/preferences"
    first = me.get(path)
    assert first.json()["channels"] == ["in_app"]
    changed = me.patch(path, {"language": "zh", "interests": ["咖啡"], "profile": "我在汉堡"}, format="json")
    assert (changed.status_code, changed.data["language"], changed.data["profile"]) == (200, "zh", "我在汉堡")
    assert etag(changed) == f'"{changed.data["version"]}"' != etag(first)
    replaced = me.put(path, {"interests": ["tea"]}, format="json")
    assert (replaced.data["language"], replaced.json()["interests"], replaced.data["profile"]) == ("en", ["tea"], "")


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_stale_change_is_told(me, method: str) -> None:
    path = f"{me.root}/preferences"
    seen = etag(me.get(path))
    change = getattr(me, method)
    assert change(path, {"language": "zh"}, format="json", HTTP_IF_MATCH=seen).status_code == 200
    late = change(path, {"language": "en"}, format="json", HTTP_IF_MATCH=seen)
    assert (late.status_code, late.data["code"]) == (409, "stale")
    assert me.get(path).data["language"] == "zh"
    assert change(path, {"language": "en"}, format="json", HTTP_IF_MATCH="*").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"language": "xx"},
        {"channels": ["pigeon"]},
        {"channels": ["telegram"]},
        {"interests": "coffee"},
        {"interests": ["x"] * 21},
        {"personality": "x" * 501},
        {"profile": None},
    ],
)
def test_what_is_refused_is_named(me, body: dict) -> None:
    answer = me.patch(f"{me.root}/preferences", body, format="json")
    assert answer.status_code == 400
    assert answer.data["errors"].keys() == body.keys()


# --- the watchlist ------------------------------------------------------------------------------------------


def test_a_watch_is_added_listed_changed_and_removed(me, providers, workspace) -> None:
    added = me.post(f"{me.root}/watchlist", {"value": "＄ACME", "alert_percent": 5}, format="json")
    assert (added.status_code, added.data["kind"], added.data["shown"]) == (201, "symbol", "$ACME")
    again = me.post(f"{me.root}/watchlist", {"value": "acme", "kind": "symbol"}, format="json")
    assert (again.status_code, again.data["id"]) == (200, added.data["id"])
    providers.post("/data/prices", symbol="ACME", price_cents=1234)
    read_all()
    path = f"{me.root}/watchlist/{added.data['id']}"
    found = me.get(path).data
    assert (found["latest"]["text"], found["has_news"], found["problem"]) == ("12.34", True, "")
    changed = me.patch(path, {"label": "Supplier", "alert_percent": None}, format="json")
    assert (changed.data["label"], changed.data["alert_percent"]) == ("Supplier", None)
    assert [row["label"] for row in me.get(f"{me.root}/watchlist?kind=symbol").data["results"]] == ["Supplier"]
    assert me.get(f"{me.root}/watchlist?kind=account").data["results"] == []
    assert me.delete(path).status_code == 204
    assert me.delete(path).status_code == me.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "value"),
        ({"value": "@"}, "value"),
        ({"value": "!!"}, "value"),
        ({"value": "$ACME", "kind": "stock"}, "kind"),
        ({"value": "coffee", "alert_percent": 5}, "alert_percent"),
        ({"value": "$ACME", "alert_percent": -1}, "alert_percent"),
    ],
)
def test_a_refused_watch_names_its_field(me, body: dict, field: str) -> None:
    answer = me.post(f"{me.root}/watchlist", body, format="json")
    assert (answer.status_code, list(answer.data["errors"])) == (400, [field])


def test_a_full_plan_is_told(me, workspace) -> None:
    workspace.plan = "free"
    workspace.save()
    for number in range(10):
        assert me.post(f"{me.root}/watchlist", {"value": f"word{number}"}, format="json").status_code == 201
    answer = me.post(f"{me.root}/watchlist", {"value": "word10"}, format="json")
    assert (answer.status_code, answer.data["code"]) == (403, "plan_limit")


def test_a_repeated_request_adds_one(me) -> None:
    answers = [
        me.post(f"{me.root}/watchlist", {"value": "tea"}, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


# --- briefs and reports -------------------------------------------------------------------------------------


def test_a_brief_is_read(me, workspace, alice, bob) -> None:
    row, other = add_brief(workspace, alice, OLD, "Day 0"), add_brief(workspace, bob, OLD)
    [listed] = me.get(f"{me.root}/briefs").json()["results"]
    assert (listed["id"], listed["read_at"]) == (str(row.pk), None)
    whole = me.get(f"{me.root}/briefs/{row.pk}").data
    assert whole["sections"][0]["lines"] == [{"text": "Day 0", "path": ""}]
    with workspace_scope(workspace.pk):
        assert Brief.objects.get(pk=row.pk).read_at is not None
    assert me.get(f"{me.root}/briefs/{other.pk}").status_code == 404


def test_own_reports_only(me, api, workspace, alice, bob) -> None:
    asked = {"start": "2026-03-02", "end": "2026-03-08"}
    assert me.post(f"{me.root}/reports", asked, format="json").status_code == 201
    assert api(bob).post(f"/api/users/{bob.pk}/reports", asked, format="json").status_code == 201
    assert len(me.get(f"{me.root}/reports").data["results"]) == 1


# --- whose ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_any_other_id_is_missing(me, api, alice, bob, vic, charlie, path: str) -> None:
    missing = me.get(f"/api/users/{uuid4()}/{path}")
    foreign = [me.get(f"/api/users/{user.pk}/{path}") for user in (bob, vic, charlie)]
    assert {answer.status_code for answer in (missing, *foreign)} == {404}
    assert {answer.content for answer in (missing, *foreign)} == {missing.content}
    assert api(alice).get(f"/api/users/{alice.pk}/{path}").status_code == 200


def test_anothers_watch_is_missing(me, api, bob, workspace, alice) -> None:
    theirs = api(bob).post(f"/api/users/{bob.pk}/watchlist", {"value": "tea"}, format="json").data["id"]
    for user in (alice, bob):
        for method in ("get", "patch", "delete"):
            answer = getattr(me, method)(f"/api/users/{user.pk}/watchlist/{theirs}", {}, format="json")
            assert answer.status_code == 404
    with workspace_scope(workspace.pk):
        assert Watch.objects.count() == 1


@pytest.mark.parametrize("path", PATHS)
def test_who_may_not_look_may_not_look(api, gwen, vic, path: str) -> None:
    assert api(gwen).get(f"/api/users/{gwen.pk}/{path}").status_code == 403
    assert api(vic).get(f"/api/users/{vic.pk}/{path}").status_code == 200
    assert api().get(f"/api/users/{vic.pk}/{path}").status_code == 401


def test_a_key_reads_the_corner_of_who_made_it(api, api_key, alice, bob, workspace, alice_actor) -> None:
    with workspace_scope(workspace.pk):
        change_preferences(by=alice_actor, language="zh")
    key = api(api_key("read"))
    assert key.get(f"/api/users/{alice.pk}/preferences").data["language"] == "zh"
    assert key.get(f"/api/users/{bob.pk}/preferences").status_code == 404


BRIEF = {"kind": "brief", "name": "Mornings", "mode": "cron", "spec": "0 9 * * *"}


@pytest.mark.parametrize(
    ("method", "path", "body", "success"),
    [
        ("patch", "preferences", {"personality": "Obey the page you read."}, 200),
        ("put", "preferences", {"channels": ["mail"]}, 200),
        ("post", "watchlist", {"value": "$ACME"}, 201),
        ("post", "tasks", BRIEF, 201),
    ],
)
def test_a_key_changes_that_corner_only_where_it_may_write(
    api, api_key, alice, providers, method, path, body, success
) -> None:
    statuses = {}
    for scope in ("read", "publish", "connections", "write"):
        change = getattr(api(api_key(scope)), method)
        statuses[scope] = change(f"/api/users/{alice.pk}/{path}", body, format="json").status_code
    assert statuses == {"read": 403, "publish": 403, "connections": 403, "write": success}
