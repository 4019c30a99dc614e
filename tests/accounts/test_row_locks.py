"""What a row refers to is looked up at its commit: who locks a row must let that pass.

Otherwise whoever has the trail's head and commits waits for whoever has the row and wants the head.
"""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from accounts import audit
from accounts.scope import workspace_scope
from campaigns.holidays import set_holiday_countries
from tests.campaigns.engine import workers
from tests.waiting import wait_for

APPS = [config.path for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]
WHOLE_LOCK = re.compile(r"\.select_for_update\((?!no_key=True)")


def test_nobody_locks_a_row_against_what_refers_to_it():
    files = [path for app in APPS for path in Path(app).rglob("*.py")]
    found = [str(path.relative_to(settings.BASE_DIR)) for path in files if WHOLE_LOCK.search(path.read_text())]
    assert found == [], "say select_for_update(no_key=True)"


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_workspace_and_a_write_in_it_are_no_deadlock(workspace, alice_actor):
    held, results = workers.PROCESSES.SimpleQueue(), workers.PROCESSES.SimpleQueue()

    def write() -> None:
        try:
            with workspace_scope(workspace.pk):
                audit.record("test.write", workspace, by=alice_actor)
                held.put(True)
                wait_for(somebody_waits_for_a_lock)
            results.put("done")
        except Exception as error:
            results.put(type(error).__name__)

    other = workers.start(write)
    held.get()
    with workspace_scope(workspace.pk):
        set_holiday_countries(["DE"], by=alice_actor)
    other.join(workers.PATIENCE_S)
    assert results.get() == "done"
