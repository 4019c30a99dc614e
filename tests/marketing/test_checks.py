import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection

from marketing import checks

ROOT = Path(__file__).parents[2]
GOOD_KEY = base64.urlsafe_b64encode(b"\1" * 32).decode()


@pytest.fixture
def production(settings):
    """As it should be."""
    settings.HTTPS = True
    settings.DEBUG = False
    settings.SECRET_KEY = "a key of one's own"
    settings.FIELD_KEYS = GOOD_KEY
    settings.BASE_URL = "https://rostrum.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.X_API_BASE_URL = "https://api.x.com"
    return settings


def found() -> list[str]:
    return [message.id for message in run_checks(tags=["security"]) if message.id.startswith("rostrum.")]


def test_good_production_has_nothing_to_say(production):
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("SECRET_KEY", checks.INSECURE_SECRET_KEY, "rostrum.E002"),
        ("FIELD_KEYS", base64.urlsafe_b64encode(checks.INSECURE_FIELD_KEY).decode(), "rostrum.E003"),
        ("FIELD_KEYS", f"{GOOD_KEY},{base64.urlsafe_b64encode(checks.INSECURE_FIELD_KEY).decode()}", "rostrum.E003"),
        ("BASE_URL", "http://rostrum.example", "rostrum.E005"),
        ("DEBUG", True, "rostrum.E006"),
        ("X_API_BASE_URL", "http://127.0.0.1:8100/x", "rostrum.E007"),
        ("X_API_BASE_URL", "http://api.x.com", "rostrum.E007"),
        ("OUTBOUND_ALLOW_CIDRS", ["127.0.0.0/8"], "rostrum.E010"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "rostrum.W001"),
    ],
)
def test_mistake_in_production_is_named_and_is_none_on_a_laptop(production, name, value, check):
    setattr(production, name, value)
    assert found() == [check]
    production.HTTPS = False
    assert found() == []


@pytest.mark.parametrize("value", ["", "short", "=", "ä", f"{GOOD_KEY},short"])
def test_unusable_field_keys_are_named_everywhere(production, value):
    production.FIELD_KEYS = value
    assert found() == ["rostrum.E004"]
    production.HTTPS = False
    assert found() == ["rostrum.E004"]


def test_networks_that_cannot_be_read_are_named_everywhere(production):
    production.OUTBOUND_ALLOW_CIDRS = ["10.0.0.1/8"]
    assert found() == ["rostrum.E009"]
    production.HTTPS = False
    assert found() == ["rostrum.E009"]


def test_every_message_says_what_to_do(production):
    production.SECRET_KEY = checks.INSECURE_SECRET_KEY
    production.FIELD_KEYS = "short"
    production.BASE_URL = "http://rostrum.example"
    production.DEBUG = True
    production.X_API_BASE_URL = "http://127.0.0.1"
    production.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    messages = [m for m in run_checks(tags=["security"]) if m.id.startswith("rostrum.")]
    assert len(messages) == 6
    assert all(message.hint for message in messages)


def test_messages_hold_no_secret(production):
    production.FIELD_KEYS = "c2hvcnQgc2VjcmV0"
    assert "c2hvcnQ" not in str(run_checks(tags=["security"]))


def test_defaults_of_the_checks_are_those_of_the_settings():
    source = (ROOT / "marketing/settings.py").read_text()
    assert f'"{checks.INSECURE_SECRET_KEY}"' in source
    assert f'"{base64.urlsafe_b64encode(checks.INSECURE_FIELD_KEY).decode()}"' in source


@pytest.mark.django_db
def test_role_of_the_product_is_bound_by_row_level_security():
    assert checks.check_database_role(databases=["default"]) == []


@pytest.fixture
def superuser_env(db) -> dict[str, str]:
    url = os.environ["DATABASE_URL"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY oid LIMIT 1")
        owner = cursor.fetchone()[0]
    if "//app@" not in url:
        pytest.skip("only the embedded database lets us in as its owner")
    return {**os.environ, "DATABASE_URL": url.replace("//app@", f"//{owner}@")}


def test_superuser_is_refused_by_manage_py_check(superuser_env):
    command = [sys.executable, "manage.py", "check", "--database", "default"]
    done = subprocess.run(command, cwd=ROOT, env=superuser_env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "rostrum.E001" in done.stderr
    assert "is a superuser" in done.stderr


@pytest.mark.parametrize("timeouts", [(30, 10), (10, 30)])
@pytest.mark.parametrize(("lease", "ids"), [(35, ["rostrum.E008"]), (36, [])])
def test_a_lease_must_outlast_the_slowest_call(settings, timeouts, lease, ids):
    settings.X_TIMEOUT_S, settings.TELEGRAM_TIMEOUT_S = timeouts
    settings.LEASE_S = lease
    assert [error.id for error in checks.check_lease()] == ids
