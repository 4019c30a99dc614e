"""100,000 people watch 2,000 things: how often the provider is asked, with four workers and one of them killed."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from accounts.models import Meter
from accounts.scope import all_workspaces_scope
from marketing.benching.fill import copy_rows, id_of
from marketing.proving.people import PER_WORKSPACE
from personal.models import Observation, Watch, WatchValue
from personal.polling import BATCH

WORKERS = 4
PATIENCE_S = 600
POLL = """
import time, django
django.setup()
from personal.polling import poll_watches
ends = time.monotonic() + 600
while time.monotonic() < ends:
    if not poll_watches(5):
        time.sleep(0.1)
"""


def run(people: int, values: int, tell: Callable[[str], object]) -> dict[str, float]:
    """The people are there already, each a member of one workspace."""
    fill(people, values)
    # Nobody is held back by a pace that is the provider's wish, and no part of this proof.
    env = {**os.environ, "DATA_CALLS_PER_S": "2000", "DJANGO_SETTINGS_MODULE": "marketing.settings"}
    began = time.monotonic()
    workers = [subprocess.Popen([sys.executable, "-c", POLL], env=env) for _ in range(WORKERS)]  # noqa: S603
    try:
        _wait(values // 2)
        workers[0].kill()
        tell(f"A worker was killed after {read()} of {values} readings.")
        _wait(values)
        seconds = time.monotonic() - began
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return figures(people, values) | {"watch_seconds": seconds}


def holds(found: dict[str, float]) -> bool:
    """A batch that died with its worker is read once more, and nothing else is."""
    return (
        found["watch_observations"] == found["watch_values"]
        and found["watch_told_twice"] == 0
        and 0 <= found["watch_calls"] - found["watch_values"] <= BATCH
        and found["watch_calls_most"] <= 2
        and found["watch_charged"] == found["watch_expected_charges"]
    )


def fill(people: int, values: int) -> None:
    sizes = {"each": PER_WORKSPACE, "values": values, "people": people}
    copy_rows(
        WatchValue(kind="symbol", every_s=86_400), values, sizes, value="'s' || n", watchers="%(people)s / %(values)s"
    )
    of_person = id_of("n / %(each)s")
    copy_rows(Watch(), people, sizes, workspace_id=of_person, user_id=id_of("n"), value_id=id_of("n %% %(values)s"))
    with connection.cursor() as cursor:
        for model in (Watch, WatchValue):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def read() -> int:
    return WatchValue.objects.filter(last_seq__gt=0).count()


def _wait(wanted: int) -> None:
    ends = time.monotonic() + PATIENCE_S
    while read() < wanted and time.monotonic() < ends:
        time.sleep(0.2)


def figures(people: int, values: int) -> dict[str, float]:
    paths = Counter(calls())
    with all_workspaces_scope("count what was read"):
        pairs = Watch.objects.values("value", "workspace").distinct().count()
        charged = sum(Meter.objects.filter(name="watch_reads").values_list("count", flat=True))
    return {
        "watches": people,
        "watch_values": values,
        "watch_calls": sum(paths.values()),
        "watch_calls_most": max(paths.values()),
        "watch_observations": Observation.objects.count(),
        "watch_told_twice": sum(WatchValue.objects.filter(last_seq__gt=1).values_list("last_seq", flat=True)),
        "watch_charged": charged,
        "watch_expected_charges": pairs,
    }


def calls() -> list[str]:
    """What the sandbox's provider was asked for."""
    sandbox = urlsplit(settings.DATA_API_BASE_URL)
    address = f"{sandbox.scheme}://{sandbox.netloc}/_sandbox/ledger"
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
        entries = json.load(answer)["entries"]
    return [entry["path"] for entry in entries if entry["platform"] == "data"]
