"""/livez and /readyz: for whoever starts and stops processes."""

import os
import time

import pytest
from django.db import connection
from django.test import Client, override_settings

from marketing.tasks import note_scheduler, note_worker

PRODUCTION = {"SECURE_SSL_REDIRECT": True, "ALLOWED_HOSTS": ["rostrum.example"], "HTTPS": True}
NO_CACHE = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere?db=0"}}


@pytest.fixture
def no_database(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        yield


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_is_answered_at_any_host_and_without_https(client: Client, path: str) -> None:
    with override_settings(**PRODUCTION):
        answer = client.get(path, headers={"Host": "10.1.2.3:8000"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_process_lives_though_its_database_is_away(client: Client, no_database: None) -> None:
    assert client.get("/livez").status_code == 200


def test_it_is_not_ready_without_a_database(client: Client, no_database: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"waits for database\n")


@pytest.mark.django_db
def test_it_is_not_ready_without_a_cache_and_lives(client: Client) -> None:
    with override_settings(CACHES=NO_CACHE):
        assert client.get("/readyz").content == b"waits for cache\n"
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("beat", [note_worker, note_scheduler])
def test_a_heartbeat_touches_the_file_that_probes_look_at(settings, tmp_path, beat) -> None:
    settings.ALIVE_FILE = str(tmp_path / "alive")
    beat()
    os.utime(settings.ALIVE_FILE, (0, 0))
    beat()
    assert time.time() - os.stat(settings.ALIVE_FILE).st_mtime < 60


@pytest.mark.parametrize("beat", [note_worker, note_scheduler])
def test_the_file_is_touched_though_the_cache_is_away(settings, tmp_path, beat) -> None:
    settings.ALIVE_FILE = str(tmp_path / "alive")
    with override_settings(CACHES=NO_CACHE), pytest.raises(Exception, match="Error"):
        beat()
    assert (tmp_path / "alive").exists()


@pytest.mark.parametrize("beat", [note_worker, note_scheduler])
def test_without_the_setting_no_file_is_written(settings, tmp_path, monkeypatch, beat) -> None:
    settings.ALIVE_FILE = ""
    monkeypatch.chdir(tmp_path)
    beat()
    assert list(tmp_path.iterdir()) == []
