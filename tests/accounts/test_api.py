import json
import uuid
from multiprocessing.pool import ThreadPool

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client
from django.urls import path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.response import Response

from accounts.access import Perm
from accounts.api_auth import key_actor
from accounts.models import ApiKey, AuditEntry, IdempotencyKey, Membership, Role
from accounts.rest import Conflict, WorkspaceView
from accounts.scope import workspace_scope
from accounts.services import create_api_key, create_workspace

pytestmark = pytest.mark.django_db
KEY = {"name": "Importer", "scopes": ["read", "write"]}
PROBLEM = "application/problem+json"


def problem(answer) -> tuple[int, str, str]:
    return answer.status_code, answer["Content-Type"], answer.json()["code"]


# --- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/api/nothing", "/api/keys/", "/api/auth", "/api/keys/not-a-uuid", "/w/x/api/no"])
def test_unknown_route_is_a_problem(api, address):
    assert problem(api().get(address)) == (404, PROBLEM, "not_found")


def test_wrong_method_is_a_problem(api, alice):
    answer = api(alice).delete("/api/auth/me")
    assert problem(answer) == (405, PROBLEM, "method_not_allowed")
    assert "PATCH" in answer["Allow"]


def test_malformed_json_is_a_problem(api):
    answer = api().post("/api/auth/login", "{", content_type="application/json")
    assert problem(answer) == (400, PROBLEM, "parse_error")


def test_another_media_type_is_a_problem(api):
    answer = api().post("/api/auth/login", "a=1", content_type="application/x-www-form-urlencoded")
    assert problem(answer) == (415, PROBLEM, "unsupported_media_type")


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "7"])
def test_json_that_is_no_object_is_a_problem(api, body):
    assert problem(api().post("/api/auth/login", body, content_type="application/json"))[:2] == (400, PROBLEM)


def test_nul_byte_is_a_problem(api):
    answer = api().post("/api/auth/login", {"email": "a\0@example.org", "password": "x"}, format="json")
    assert answer.status_code == 400


class Broken(WorkspaceView):
    def get(self, request):
        raise RuntimeError("secret detail")

    def post(self, request):
        create_api_key("Half done", ["read"], by=self.actor)
        raise Conflict


class Answered(WorkspaceView):
    def post(self, request):
        return Response({"detail": "no"}, status=400)


urlpatterns = [path("api/broken", Broken.as_view()), path("api/answered", Answered.as_view())]
handler404 = "accounts.problems.not_found"
handler500 = "accounts.problems.server_error"


@pytest.fixture
def own_urls(settings):
    settings.ROOT_URLCONF = "tests.accounts.test_api"


def test_broken_view_is_a_problem_without_details(api, alice, workspace, own_urls):
    answer = api(alice).get("/api/broken")
    assert problem(answer) == (500, PROBLEM, "error")
    assert b"secret detail" not in answer.content


def test_failed_write_leaves_nothing_behind(api, alice, workspace, own_urls):
    answer = api(alice).post("/api/broken", HTTP_IDEMPOTENCY_KEY="one")
    assert problem(answer) == (409, PROBLEM, "conflict")
    with workspace_scope(workspace.pk):
        assert not ApiKey.objects.exists()
        assert not IdempotencyKey.objects.exists()


def test_refused_write_may_be_tried_again_with_the_same_key(api, alice, workspace, own_urls):
    client = api(alice)
    answers = [client.post("/api/answered", HTTP_IDEMPOTENCY_KEY="one") for _ in range(2)]
    assert [(a.status_code, a.json()) for a in answers] == [(400, {"detail": "no"})] * 2
    assert "Idempotent-Replayed" not in answers[1]


def test_page_that_is_missing_is_no_problem_json(client):
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


# --- which workspace -------------------------------------------------------------------------------------------


def test_header_names_the_workspace(api, alice, workspace):
    second = create_workspace("Second", owner=alice)
    api(alice, workspace=second).post("/api/keys", KEY, format="json")
    assert api(alice, workspace=workspace).get("/api/keys").json()["results"] == []
    assert len(api(alice, workspace=second).get("/api/keys").json()["results"]) == 1


def test_workspace_of_somebody_else_is_answered_like_a_missing_one(api, alice, workspace, other_workspace):
    foreign = api(alice, workspace=other_workspace).get("/api/keys")
    missing = api(alice).get("/api/keys", HTTP_X_WORKSPACE="nothing")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_key_works_in_its_own_workspace_only(api, api_key, alice, workspace):
    second = create_workspace("Second", owner=alice)
    secret = api_key("read")
    assert api(secret).get("/api/auth/me").status_code == 200
    assert api(secret, workspace=second).get("/api/keys").status_code == 404


def test_person_without_a_workspace_gets_404(api, staff):
    assert api(staff).get("/api/keys").status_code == 404


def test_suspended_workspace_refuses(api, alice, workspace):
    workspace.is_suspended = True
    workspace.save()
    assert problem(api(alice).get("/api/keys")) == (403, PROBLEM, "permission_denied")


def test_workspaces_are_listed_with_the_role(api, bob, workspace, other_workspace):
    results = api(bob).get("/api/workspaces").json()["results"]
    assert [(row["slug"], row["role"]) for row in results] == [("roastery", "editor")]


def test_list_is_paged_by_cursor(api, alice, workspace):
    for number in range(3):
        create_workspace(f"More {number}", owner=alice)
    first = api(alice).get("/api/workspaces?page_size=3").json()
    second = api(alice).get(first["next"]).json()
    assert [len(first["results"]), len(second["results"])] == [3, 1]
    assert second["next"] is None


def test_number_of_queries_does_not_grow_with_the_rows(api, alice, workspace, django_assert_num_queries):
    for number in range(10):
        create_workspace(f"More {number}", owner=alice)
    client = api(alice)
    with django_assert_num_queries(2):
        client.get("/api/workspaces?page_size=5")
    with django_assert_num_queries(2):
        client.get("/api/workspaces?page_size=10")


# --- keys ------------------------------------------------------------------------------------------------------


def test_new_key_is_answered_once_and_stored_hashed(api, alice, workspace):
    client = api(alice)
    created = client.post("/api/keys", KEY, format="json")
    assert created.status_code == 201
    secret = created.json()["key"]
    assert secret.startswith("rk_")
    with workspace_scope(workspace.pk):
        assert secret not in str(list(ApiKey.objects.values()))
    assert secret not in client.get("/api/keys").content.decode()


def test_new_key_opens_the_api(api, alice, workspace):
    secret = api(alice).post("/api/keys", KEY, format="json").json()["key"]
    assert api(secret).get("/api/auth/me").json()["email"] == "alice@example.org"


def test_key_is_found_by_its_id(api, alice, workspace):
    created = api(alice).post("/api/keys", KEY, format="json").json()
    assert api(alice).get(f"/api/keys/{created['id']}").json()["name"] == "Importer"


def test_revoked_key_opens_nothing(api, alice, workspace):
    created = api(alice).post("/api/keys", KEY, format="json").json()
    assert api(alice).delete(f"/api/keys/{created['id']}").status_code == 204
    assert api(created["key"]).get("/api/auth/me").status_code == 401
    assert api(alice).get(f"/api/keys/{created['id']}").json()["is_revoked"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
    ],
)
def test_key_with_a_wrong_field_is_refused(api, alice, workspace, change, field):
    answer = api(alice).post("/api/keys", KEY | change, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_only_who_may_manage_keys_sees_them(api, bob, api_key):
    api_key()
    assert api(bob).get("/api/keys").status_code == 403
    assert api(bob).post("/api/keys", KEY, format="json").status_code == 403


def test_key_cannot_make_or_see_keys(api, api_key):
    secret = api_key()
    assert api(secret).get("/api/keys").status_code == 403
    assert api(secret).post("/api/keys", KEY, format="json").status_code == 403


def test_key_of_another_workspace_is_answered_like_a_missing_one(api, alice, workspace, charlie, other_workspace):
    theirs = api(charlie).post("/api/keys", KEY, format="json").json()["id"]
    for method in ("get", "delete"):
        foreign = getattr(api(alice), method)(f"/api/keys/{theirs}")
        missing = getattr(api(alice), method)(f"/api/keys/{uuid.uuid4()}")
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content


def test_key_loses_what_its_maker_loses(api, alice, workspace, staff, actor_of):
    member = Membership.objects.create(user=staff, workspace=workspace, role=Role.ADMIN)
    with workspace_scope(workspace.pk):
        key, _secret = create_api_key("Theirs", ["read", "publish"], by=actor_of(staff))
    assert key_actor(key).can(Perm.PUBLISH)
    Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)
    assert key_actor(key).perms == {Perm.VIEW}


def test_key_of_somebody_who_left_finds_no_workspace(api, workspace, staff, actor_of):
    member = Membership.objects.create(user=staff, workspace=workspace, role=Role.ADMIN)
    with workspace_scope(workspace.pk):
        secret = create_api_key("Theirs", ["read"], by=actor_of(staff))[1]
    member.delete()
    assert api(secret).get("/api/keys").status_code == 404


def test_key_of_a_deactivated_person_opens_nothing(api, api_key, alice):
    secret = api_key()
    alice.is_active = False
    alice.save()
    assert api(secret).get("/api/auth/me").status_code == 401


def test_expired_key_opens_nothing(api, api_key, workspace):
    secret = api_key()
    with workspace_scope(workspace.pk):
        ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert api(secret).get("/api/auth/me").status_code == 401


def test_unknown_key_opens_nothing(api, db):
    assert problem(api("rk_unknown").get("/api/auth/me")) == (401, PROBLEM, "authentication_failed")


def test_use_of_a_key_is_remembered_at_most_once_a_minute(api, api_key, workspace, django_assert_max_num_queries):
    client = api(api_key())
    client.get("/api/auth/me")
    with workspace_scope(workspace.pk):
        first = ApiKey.objects.get().last_used_at
    client.get("/api/auth/me")
    with workspace_scope(workspace.pk):
        assert first is not None
        assert ApiKey.objects.get().last_used_at == first


# --- repeated requests -------------------------------------------------------------------------------------------


def post_key(client, body=KEY, key="one"):
    return client.post("/api/keys", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_same_request_with_the_same_key_is_done_once(api, alice, workspace):
    client = api(alice)
    first, second = post_key(client), post_key(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second["Idempotent-Replayed"] == "true"
    assert second.json() == first.json() | {"key": None}
    with workspace_scope(workspace.pk):
        assert ApiKey.objects.count() == 1


def test_secret_is_not_kept_for_a_repeated_answer(api, alice, workspace):
    secret = post_key(api(alice)).json()["key"]
    with workspace_scope(workspace.pk):
        assert secret not in json.dumps(IdempotencyKey.objects.get().body)


def test_another_request_with_the_same_key_is_refused(api, alice, workspace):
    client = api(alice)
    post_key(client)
    assert problem(post_key(client, KEY | {"name": "Other"})) == (422, PROBLEM, "idempotency_mismatch")


def test_keys_of_two_people_do_not_meet(api, alice, workspace, staff):
    Membership.objects.create(user=staff, workspace=workspace, role=Role.ADMIN)
    post_key(api(alice))
    assert "Idempotent-Replayed" not in post_key(api(staff))


def test_too_long_key_is_refused(api, alice, workspace):
    assert "Idempotency-Key" in post_key(api(alice), key="x" * 201).json()["errors"]


def test_repeated_answer_without_a_body_is_repeated(api, alice, workspace):
    client = api(alice)
    created = client.post("/api/keys", KEY, format="json").json()
    for _ in range(2):
        answer = client.delete(f"/api/keys/{created['id']}", HTTP_IDEMPOTENCY_KEY="gone")
        assert (answer.status_code, answer.content) == (204, b"")
    with workspace_scope(workspace.pk):
        assert AuditEntry.objects.filter(action="api_key.revoke").count() == 1


@pytest.mark.django_db(transaction=True)
def test_requests_that_arrive_at_once_with_the_same_key_are_one(api, alice, workspace):
    def send(_number: int) -> int:
        try:
            return post_key(api(alice)).status_code
        finally:
            connections.close_all()

    with ThreadPool(4) as pool:
        assert pool.map(send, range(8)) == [201] * 8
    with workspace_scope(workspace.pk):
        assert ApiKey.objects.count() == 1


# --- sessions and limits -------------------------------------------------------------------------------------------


def test_browser_session_needs_the_csrf_token(alice, workspace):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/api/keys", json.dumps(KEY), content_type="application/json")
    assert problem(answer) == (403, PROBLEM, "permission_denied")


def test_browser_session_may_read(alice_client):
    assert alice_client.get("/api/keys").status_code == 200


def test_answers_tell_how_much_is_left(api, alice, workspace):
    first, second = (api(alice).get("/api/keys") for _ in range(2))
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("600", "599")
    assert second["RateLimit-Remaining"] == "598"
    assert 0 < int(second["RateLimit-Reset"]) <= 60


def test_caller_over_the_limit_is_told_when_to_come_back(api, alice, bob, workspace, monkeypatch):
    monkeypatch.setattr("accounts.throttling.CallerThrottle.rate", "2/min", raising=False)
    answers = [api(alice).get("/api/keys") for _ in range(3)]
    assert problem(answers[2]) == (429, PROBLEM, "throttled")
    assert int(answers[2]["Retry-After"]) > 0
    assert answers[2]["RateLimit-Remaining"] == "0"
    assert api(bob).get("/api/keys").status_code == 403


# --- the document ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document():
    """Written once: it takes a second."""
    GENERATOR_STATS.reset()
    return json.loads(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))


def operations(document):
    methods = ("get", "post", "put", "patch", "delete")
    return [(p, m, o) for p, item in document["paths"].items() for m, o in item.items() if m in methods]


@pytest.mark.parametrize("header", [{}, {"HTTP_AUTHORIZATION": "Bearer rk_nobody"}])
def test_whoever_is_refused_is_counted_by_address(db, header):
    first, second = (Client().get("/api/campaigns", **header) for _ in range(2))
    assert first.status_code == second.status_code == 401
    assert int(second["RateLimit-Remaining"]) == int(first["RateLimit-Remaining"]) - 1


def test_the_document_is_open_to_everybody(client, document):
    assert client.get("/api/schema?format=json").json() == document


def test_document_has_the_promised_routes(document):
    assert {"/api/auth/register", "/api/auth/login", "/api/auth/me", "/api/keys", "/api/workspaces"} <= set(
        document["paths"]
    )


def test_every_operation_documents_its_errors(document):
    for address, method, operation in operations(document):
        errors = {code: answer for code, answer in operation["responses"].items() if code >= "400"}
        assert "content" not in errors.pop("414"), (address, method)
        assert {"400", "401", "429"} <= errors.keys(), (address, method)
        assert all(list(answer["content"]) == [PROBLEM] for answer in errors.values()), (address, method)


def test_what_an_operation_may_answer_fits_what_it_does(document):
    for address, method, operation in operations(document):
        errors = {int(code) for code in operation["responses"] if code >= "400"}
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        is_write, in_workspace = method != "get", "X-Workspace" in names
        assert (404 in errors) == (in_workspace or "{" in address), (address, method)
        assert ({409, 422} <= errors) == ("Idempotency-Key" in names) == (in_workspace and is_write), (address, method)
        assert 403 in errors or "auth" in address, (address, method)
        assert operation["summary"], (address, method)


def test_the_document_is_written_without_a_warning(document):
    assert (list(GENERATOR_STATS._warn_cache), list(GENERATOR_STATS._error_cache)) == ([], [])


def test_every_write_in_a_workspace_takes_an_idempotency_key(document):
    names = [p["name"] for p in document["paths"]["/api/keys"]["post"]["parameters"]]
    assert {"X-Workspace", "Idempotency-Key"} <= set(names)


def test_operation_ids_are_unique(document):
    ids = [operation["operationId"] for _address, _method, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_page_of_the_document_needs_nothing_from_elsewhere(client):
    html = client.get("/docs").content.decode()
    assert "/docs?script=" in html
    assert "/api/schema" in client.get("/docs?script=").content.decode()
    assert "https://" not in html.replace("https://github.com", "")


def test_service_errors_name_their_fields(workspace, alice_actor):
    with workspace_scope(workspace.pk), pytest.raises(ValidationError) as caught:
        create_api_key(" ", ["read"], by=alice_actor)
    assert list(caught.value.message_dict) == ["name"]
