"""The environment that the documents give for production: nothing to complain of, and every answer closed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.campaigns.cast import database_address
from tests.deploy.test_containers import PRODUCTION, ROOT

pytestmark = pytest.mark.django_db
STATUS = {
    "page": 200,
    "api": 401,
    "docs": 200,
    "admin": 302,
    "static": 200,
    "missing": 404,
    "missing api": 404,
    "refused host": 400,
    "redirect": 302,
    "mcp": 401,
    "mcp metadata": 200,
}
# What the machine gives, and the two stores, which are those of this test.
KEPT = {"PATH", "HOME", "LANG", "DATABASE_URL", "REDIS_URL"}


def documented_environment(folder: Path) -> dict[str, str]:
    """`production.env.example` and compose's settings, with the files of `make-secrets`."""
    subprocess.run([ROOT / "deploy/make-secrets", folder], check=True, capture_output=True)
    lines = (ROOT / "deploy/production.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for name, value in PRODUCTION["services"]["web"]["environment"].items():
        given[name] = str(folder / value.rpartition("/")[2]) if name.endswith("_FILE") else value
    return given


@pytest.fixture(scope="module")
def in_production(django_db_setup, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    given = documented_environment(tmp_path_factory.mktemp("secrets"))
    stores = {name: value for name, value in os.environ.items() if name in KEPT}
    stores["DATABASE_URL"] = urlsplit(stores["DATABASE_URL"])._replace(path=f"/{database_address()['dbname']}").geturl()
    given = {name: value for name, value in given.items() if name.removesuffix("_FILE") not in stores}
    # Instead of collecting them first.
    own = {"DJANGO_SETTINGS_MODULE": "marketing.settings", "STATIC_FROM_SOURCE": "1", "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.production"],
        cwd=ROOT,
        env=stores | given | own | {"APP_DATA": str(tmp_path_factory.mktemp("data"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_documented_environment_passes_every_check(in_production) -> None:
    assert "no issues" in in_production["said"]


def test_every_door_was_tried(in_production) -> None:
    assert {name: answer["status"] for name, answer in in_production["answers"].items()} == STATUS


@pytest.mark.parametrize("door", STATUS)
def test_every_answer_is_closed(in_production, door: str) -> None:
    headers = in_production["answers"][door]["headers"]
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert ("'unsafe-inline'" in policy) == (door in {"admin", "docs"})
    assert not headers.get("server")
