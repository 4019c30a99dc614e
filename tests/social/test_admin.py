import pytest
from django.apps import apps
from django.contrib import admin

from accounts.models import AuditEntry
from accounts.scope import all_workspaces_scope
from lib.crypto import SecretField
from social.models import Connection

pytestmark = pytest.mark.django_db
LIST = "/admin/social/connection/"


@pytest.fixture
def press(staff_client, connection):
    def run(action: str):
        return staff_client.post(
            LIST, {"action": action, "_selected_action": [str(connection.pk)], "reason": "Spam"}, follow=True
        )

    return run


@pytest.mark.parametrize("query", ["?status__exact=active", "?network__exact=x", "?is_premium__exact=0"])
def test_the_list_can_be_filtered(connection, staff_client, query):
    page = staff_client.get(LIST + query)
    assert page.context["cl"].result_count == 1


def test_the_search_finds_and_does_not_find(connection, staff_client):
    assert staff_client.get(LIST, {"q": "roastery"}).context["cl"].result_count == 1
    assert staff_client.get(LIST, {"q": "nobody"}).context["cl"].result_count == 0


def test_a_suspension_has_effect_at_once_and_is_audited(connection, press, reloaded):
    press("suspend")
    assert reloaded(connection).status == Connection.Status.SUSPENDED
    with all_workspaces_scope("test"):
        assert AuditEntry.objects.filter(workspace=None, action="connection.suspend").count() == 1


def test_the_end_of_a_suspension_leaves_it_paused(connection, press, reloaded):
    press("suspend")
    press("unsuspend")
    assert reloaded(connection).status == Connection.Status.PAUSED


def test_a_connection_is_read_only(connection, staff_client, reloaded):
    path = f"{LIST}{connection.pk}/change/"
    assert staff_client.get(path).status_code == 200
    staff_client.post(path, {"handle": "stolen"})
    assert reloaded(connection).handle == "roastery"


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_staff_neither_add_nor_delete(connection, staff_client, path):
    assert staff_client.get(LIST + path.format(id=connection.pk)).status_code == 403


def test_no_admin_page_shows_a_token(connection, staff_client, credential_of):
    credential = credential_of(connection)
    pages = [staff_client.get(path).content.decode() for path in (LIST, f"{LIST}{connection.pk}/change/")]
    assert not [page for page in pages if credential.access_token in page or credential.refresh_token in page]


def test_no_secret_is_in_the_admin(rf):
    with_secrets = [
        model
        for model in apps.get_models()
        if any(isinstance(field, SecretField) for field in model._meta.get_fields())
    ]
    assert with_secrets
    shown = [admin.site.get_model_admin(model) for model in with_secrets if admin.site.is_registered(model)]
    secrets = [{f.name for f in one.model._meta.get_fields() if isinstance(f, SecretField)} for one in shown]
    assert all(names <= set(one.get_exclude(rf.get("/"))) for one, names in zip(shown, secrets, strict=True)), shown
