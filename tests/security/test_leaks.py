"""Secrets in the places where nobody looks for them: logs of refusals, error pages, a doctored audit trail."""

import json

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from accounts.access import system_actor
from accounts.audit import record, verify_chain
from accounts.models import AuditDetail, AuditEntry
from accounts.scope import workspace_scope
from accounts.services import invitation_token, invite_member
from marketing.error_reports import SecretFreeReports
from marketing.logs import hide_secrets

SECRET = "geheimnis"


# --- logs -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_refused_form_does_not_log_the_link_of_an_invitation(workspace, alice_actor, caplog):
    with workspace_scope(workspace.pk):
        token = invitation_token(invite_member("new@example.org", "editor", by=alice_actor))
    assert Client(enforce_csrf_checks=True).post(f"/invitations/{token}").status_code == 403
    written = [hide_secrets(None, "", {"event": line.getMessage()})["event"] for line in caplog.records]
    assert any("/invitations/***" in line for line in written)
    assert token not in json.dumps(written)


@pytest.mark.parametrize(
    "path",
    ["/invitations/{}", "/accounts/password/reset/key/{}/", "/accounts/confirm-email/{}/", "/w/a/invitations/{}"],
)
def test_key_in_an_address_is_hidden_wherever_it_is_logged(path):
    line = f"Internal Server Error: {path.format(SECRET)}"
    assert SECRET not in hide_secrets(None, "error", {"event": line})["event"]


def test_address_without_a_key_is_logged_as_it_is():
    line = {"event": "Not Found: /campaigns/12"}
    assert hide_secrets(None, "warning", line) == line


# --- the error page of DEBUG ----------------------------------------------------------------------------------


def fail(request: HttpRequest, access_token: str, database_url: str, harmless: str) -> None:
    raise RuntimeError("broken")


@pytest.fixture
def error_page(settings):
    settings.DEBUG = True
    settings.DATABASE_URL = settings.CELERY_BROKER_URL = f"postgres://app:{SECRET}@db/marketing"
    request = RequestFactory().get(f"/connections/x/callback?state={SECRET}&code={SECRET}", HTTP_AUTHORIZATION=SECRET)
    request.COOKIES = {settings.SESSION_COOKIE_NAME: SECRET, "csrftoken": SECRET}
    try:
        fail(request, SECRET, f"postgres://app:{SECRET}@db", "visible")
    except RuntimeError as error:
        reporter = ExceptionReporter(request, type(error), error, error.__traceback__)
    return reporter


def test_error_page_names_what_broke(error_page):
    assert "broken" in error_page.get_traceback_html()
    assert "visible" in error_page.get_traceback_html()


def test_settings_on_the_error_page_hide_the_passwords_in_addresses(error_page):
    shown = error_page.get_traceback_data()["settings"]
    assert SECRET not in str((shown["DATABASE_URL"], shown["CELERY_BROKER_URL"]))


def test_headers_and_cookies_on_the_error_page_hide_log_ins(error_page):
    data = error_page.get_traceback_data()
    assert SECRET not in str((data["request_meta"], data["request_COOKIES_items"]))


def test_local_variables_on_the_error_page_hide_tokens(error_page):
    frames = error_page.get_traceback_data()["frames"]
    shown = {name: value for name, value in frames[-1]["vars"] if name != "request"}
    assert SECRET not in shown["access_token"] + shown["database_url"]


def test_every_error_page_is_made_this_way(settings):
    assert settings.DEFAULT_EXCEPTION_REPORTER_FILTER == "marketing.error_reports.SecretFreeReports"
    assert SecretFreeReports().is_active(None)


# --- the audit trail ------------------------------------------------------------------------------------------


@pytest.fixture
def chain(workspace, alice_actor):
    with workspace_scope(workspace.pk):
        record("test.act", workspace, by=alice_actor, amount=1)
        yield workspace


def doctor(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_auditdetail SET {sql} WHERE data ? 'amount'")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["salt = '', actor = 'bob@example.org'", "salt = '', data = '{\"amount\": 2}'", "salt = '', data = '{}'"]
)
def test_detail_without_its_salt_does_not_pass_as_erased(chain, sql):
    doctor(sql)
    assert list(verify_chain(chain)) == ["the detail of entry 2 was changed"]


@pytest.mark.django_db
def test_detail_that_says_nothing_any_more_counts_as_erased(chain):
    doctor("salt = '', actor = '', data = '{}'")
    assert list(verify_chain(chain)) == []


@pytest.mark.django_db
def test_name_that_is_too_long_for_the_trail_is_cut_and_still_verified(chain):
    entry = record("test.act", chain, by=system_actor(chain, "n" * 254, ()))
    assert AuditDetail.objects.get(entry=entry).actor == "n" * 120
    assert list(verify_chain(chain)) == []
    assert AuditEntry.objects.count() == 3
