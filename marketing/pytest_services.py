"""pytest plugin: every run gets its own throwaway PostgreSQL and Valkey before settings are read."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
from collections.abc import Generator
from typing import Any

import pytest

from marketing.embedded import KINDS, throwaway_services
from marketing.pytest_template import start_migrating


def use_own_redis_database(worker: str) -> None:
    """Database 0 stays with the controller; worker gw3 uses 4, so that nobody flushes a neighbour."""
    number = int(worker.removeprefix("gw")) + 1
    url = os.environ["REDIS_URL"]
    pattern = r"(?<=[?&]db=)\d+" if url.startswith("unix:") else r"(?<=[^/]/)\d+(?=\?|$)"
    os.environ["REDIS_URL"] = re.sub(pattern, str(number), url)


def keep_compiled_modules() -> None:
    """As `make` does: otherwise each run, worker and program that a test starts compiles everything anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def needs_database(config: pytest.Config) -> bool:
    known = config.known_args_namespace
    return not (known.collectonly or known.help or known.version or config.pluginmanager.is_blocked("django"))


# A wrapper runs before pytest-django's own hook, which imports the settings.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    keep_compiled_modules()
    # As `experiments.stats` sets it; here before anything can have loaded numpy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Collecting makes objects by the million, and little garbage.
    gc.set_threshold(50_000, 20, 50)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        use_own_redis_database(worker)
    else:
        missing = [name for name in KINDS if not os.environ.get(name)]
        if missing:
            running = contextlib.ExitStack()
            os.environ.update(running.enter_context(throwaway_services(names=missing)))
            early_config.add_cleanup(running.close)
            if "DATABASE_URL" in missing and needs_database(early_config):
                early_config.add_cleanup(start_migrating())
    return (yield)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Noted for `.ci/again`: 1 says that every test ran, and some failed."""
    cache = getattr(session.config, "cache", None)  # which `-p no:cacheprovider` leaves out
    if cache is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        cache.set("run/exit", int(exitstatus))


# What starts a whole stack does it once.
STACKS = {
    "tests/marketing/test_up.py": "up",
    "tests/browser/test_brief_to_published.py": "up",
    "tests/browser/test_first_round.py": "up",
    "tests/browser/test_publishing_round.py": "up",
    "tests/marketing/test_storm.py": "storm",
}


# What takes long for its number of tests comes first, so that no worker is left alone with it at the end.
LONG = ("tests/marketing/test_", "tests/browser/", "tests/security/", "tests/test_", "tests/campaigns/engine/")


def scope_of(nodeid: str) -> str:
    """Tests of one scope run on one worker, in their order: a file, or what shares a stack."""
    file = nodeid.partition("::")[0]
    return STACKS.get(file, file)


def turn_of(nodeid: str) -> int:
    if nodeid.partition("::")[0] in STACKS:
        return 0
    return next((turn for turn, start in enumerate(LONG, 1) if nodeid.startswith(start)), len(LONG) + 1)


# What talks over wires, drives Chromium or whole products, kills, or walks over every route: `make test-whole`.
WHOLE = re.compile(
    r"tests/(agents/llm|browser|campaigns/engine|deploy|marketing|operations|sandbox|security)/|tests/test_foreign_ids"
    r"|_(api_access|crash|processes|proof|races|workers)\.py"
)


# Before pytest chooses by marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") or WHOLE.search(item.nodeid.partition("::")[0]):
            item.add_marker("whole")
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In place of `xdist_group`: xdist 3.8 hangs the group on a private name that pytest 9.2 no longer reads."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    # The order above, and not the scopes with the most tests first.
    config.option.loadscopereorder = False
    return Scheduling(config, log)
