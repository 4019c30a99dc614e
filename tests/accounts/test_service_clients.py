"""Integrators: app keys, tokens, and the workspaces they sync."""

from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Membership, Role, ServiceClient, ServiceTenant, User, Workspace
from accounts.scope import workspace_scope
from accounts.service_clients import create_client, issue_token, rotate_key, sync_tenant
from accounts.tokens import issue_tokens
from lib.clock import now

pytestmark = pytest.mark.django_db
SHOP = {"tenant_id": "shop-17", "revision": 1, "name": "Corner Shop", "time_zone": "Asia/Shanghai"}


@pytest.fixture
def created(alice: User) -> tuple[ServiceClient, str]:
    return create_client("Shop Suite", alice)


@pytest.fixture
def client(created) -> ServiceClient:
    return created[0]


@pytest.fixture
def caller(client: ServiceClient) -> APIClient:
    return bearer(issue_token(client))


def bearer(token: str, **headers: str) -> APIClient:
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return api


def sync(caller: APIClient, **changes):
    return caller.post("/v1/tenants/sync", SHOP | changes, format="json")


# --- keys and tokens --------------------------------------------------------------------------------------


def test_app_key_is_changed_for_a_token_that_works(created):
    answer = APIClient().post("/v1/auth/token", headers={"X-App-Key": created[1]})
    assert answer.status_code == 200
    assert (answer.data["token_type"], answer.data["expires_in"]) == ("Bearer", 900)
    assert bearer(answer.data["access_token"]).get("/v1/auth/test").data == {"client": "Shop Suite", "tenants": 0}


def test_only_the_hash_of_an_app_key_is_stored(created):
    client, secret = created
    assert secret not in str(ServiceClient.objects.filter(pk=client.pk).values().get())


@pytest.mark.parametrize("key", ["", "app_wrong", "rk_wrong", "app_" + "x" * 5_000, "密钥"])
def test_wrong_app_key_gets_nothing(client, key):
    answer = APIClient().post("/v1/auth/token", headers={"X-App-Key": key.encode("utf-8").decode("latin-1")})
    assert (answer.status_code, answer.data["code"]) == (401, "authentication_failed")


def test_key_of_an_inactive_client_or_owner_gets_nothing(created, alice):
    _client, secret = created
    ServiceClient.objects.update(is_active=False)
    assert APIClient().post("/v1/auth/token", headers={"X-App-Key": secret}).status_code == 401
    ServiceClient.objects.update(is_active=True)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert APIClient().post("/v1/auth/token", headers={"X-App-Key": secret}).status_code == 401


def test_token_ends_with_its_client(client, caller):
    assert caller.get("/v1/auth/test").status_code == 200
    ServiceClient.objects.update(is_active=False)
    assert caller.get("/v1/auth/test").status_code == 401


def test_rotated_key_ends_the_tokens_of_the_old_one(created, caller):
    client, secret = created
    fresh = rotate_key(client)
    assert caller.get("/v1/auth/test").status_code == 401
    assert APIClient().post("/v1/auth/token", headers={"X-App-Key": secret}).status_code == 401
    assert APIClient().post("/v1/auth/token", headers={"X-App-Key": fresh}).status_code == 200


def test_token_of_a_person_does_not_open_the_door_of_services(alice, workspace):
    assert bearer(issue_tokens(alice)["access"]).get("/v1/auth/test").status_code == 401


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/workspaces", "/api/campaigns"])
def test_token_of_a_service_does_not_open_the_doors_of_people(caller, workspace, path):
    assert caller.get(path).status_code == 401


def forged(client: ServiceClient, sign_with: str = "", **changes) -> str:
    claims = jwt.decode(issue_token(client), options={"verify_signature": False}) | changes
    return jwt.encode(claims, sign_with or settings.SECRET_KEY, algorithm="HS256")


def test_forged_tokens_are_refused(client):
    tokens = {
        "other key": forged(client, sign_with="x" * 50),
        "other audience": forged(client, aud="api"),
        "other issuer": forged(client, iss="else"),
        "expired": forged(client, exp=int(now().timestamp()) - 5),
        "nobody": forged(client, sub="no-uuid"),
        "old app key": forged(client, key="0" * 16),
        "not yet": forged(client, nbf=2**33),
        "unsigned": jwt.encode({"aud": "service", "sub": str(client.pk)}, None, algorithm="none"),
    }
    assert {name: bearer(token).get("/v1/auth/test").status_code for name, token in tokens.items()} == dict.fromkeys(
        tokens, 401
    )


def test_verify_says_whether_a_token_is_good(client):
    good = APIClient().post("/v1/auth/verify", {"token": issue_token(client)}, format="json")
    assert good.data["valid"] is True
    assert good.data["client"] == "Shop Suite"
    assert good.data["expires_at"] > (now() + timedelta(minutes=10)).timestamp()
    assert APIClient().post("/v1/auth/verify", {"token": "x.y.z"}, format="json").data == {"valid": False}


# --- tenants ----------------------------------------------------------------------------------------------


def test_first_sync_makes_a_workspace_of_the_owner(caller, alice):
    answer = sync(caller)
    assert answer.status_code == 201
    assert answer.data["applied"] is True
    made = Workspace.objects.get(slug=answer.data["workspace"])
    assert (made.name, made.time_zone) == ("Corner Shop", "Asia/Shanghai")
    assert Membership.objects.get(workspace=made).role == Role.OWNER


def test_same_sync_again_changes_nothing(caller):
    sync(caller)
    again = sync(caller)
    assert (again.status_code, again.data["applied"]) == (200, False)
    assert ServiceTenant.objects.count() == 1


def test_newer_revision_is_applied_and_an_older_one_is_not(caller):
    sync(caller)
    assert sync(caller, revision=3, name="Corner Café").data["name"] == "Corner Café"
    late = sync(caller, revision=2, name="Old name")
    assert (late.status_code, late.data["applied"], late.data["name"]) == (200, False, "Corner Café")


def test_same_revision_with_other_data_is_a_conflict(caller):
    sync(caller)
    answer = sync(caller, name="Other")
    assert (answer.status_code, answer.data["code"]) == (409, "revision_conflict")
    assert Workspace.objects.filter(name="Other").count() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tenant_id": ""}, "tenant_id"),
        ({"tenant_id": "a/b"}, "tenant_id"),
        ({"tenant_id": "x" * 121}, "tenant_id"),
        ({"revision": -1}, "revision"),
        ({"revision": 2**70}, "revision"),
        ({"revision": "many"}, "revision"),
        ({"name": "  "}, "name"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"metadata": ["a"]}, "metadata"),
    ],
)
def test_bad_sync_is_explained_by_field(caller, changes, field):
    answer = sync(caller, **changes)
    assert answer.status_code == 400
    assert field in answer.data["errors"]
    assert not ServiceTenant.objects.exists()


def test_tenant_of_another_client_answers_like_a_missing_one(caller, bob):
    other, _secret = create_client("Other Suite", bob)
    sync_tenant(other, "shop-99", 1, {"name": "Foreign"})
    for path in ("/v1/tenants/{}", "/v1/tenants/{}/status"):
        foreign, missing = (caller.get(path.format(name)) for name in ("shop-99", "nowhere"))
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content


def test_two_clients_may_call_different_tenants_the_same(caller, bob):
    other, _secret = create_client("Other Suite", bob)
    sync_tenant(other, "shop-17", 5, {"name": "Theirs"})
    sync(caller)
    assert caller.get("/v1/tenants/shop-17").data["name"] == "Corner Shop"


def test_inactive_tenant_says_so_and_comes_back(caller):
    sync(caller)
    caller.patch("/v1/tenants/shop-17", {"is_active": False}, format="json")
    assert caller.get("/v1/tenants/shop-17/status").data["status"] == "inactive"
    caller.patch("/v1/tenants/shop-17", {"is_active": True}, format="json")
    assert caller.get("/v1/tenants/shop-17/status").data["status"] == "active"


def test_deleting_stops_at_once_and_deletes_later(caller):
    sync(caller)
    answer = caller.delete("/v1/tenants/shop-17")
    assert (answer.status_code, answer.data["status"]) == (202, "deleting")
    workspace = Workspace.objects.get()
    assert workspace.is_stopped
    assert workspace.deletes_at > now() + timedelta(days=20)


def test_what_an_integrator_decides_stands_in_the_trail(caller, client):
    sync(caller)
    caller.patch("/v1/tenants/shop-17", {"is_active": False}, format="json")
    with workspace_scope(Workspace.objects.get().pk):
        found = list(AuditEntry.objects.order_by("number").values_list("action", "detail__actor"))
    assert found[-2:] == [("tenant.sync", "Service Shop Suite"), ("tenant.deactivate", "Service Shop Suite")]


# --- in the admin -----------------------------------------------------------------------------------------


def test_staff_see_a_new_app_key_once(staff_client, alice):
    answer = staff_client.post(
        "/admin/accounts/serviceclient/add/", {"name": "Suite", "owner": str(alice.pk), "is_active": "on"}, follow=True
    )
    text = answer.content.decode()
    secret = text.partition("app key of Suite: ")[2].split(".")[0]
    assert APIClient().post("/v1/auth/token", headers={"X-App-Key": secret}).status_code == 200
    assert secret not in staff_client.get("/admin/accounts/serviceclient/").content.decode()


def test_client_needs_an_owner(staff_client):
    answer = staff_client.post("/admin/accounts/serviceclient/add/", {"name": "Suite", "owner": ""})
    assert b"This field is required" in answer.content
    assert not ServiceClient.objects.exists()
