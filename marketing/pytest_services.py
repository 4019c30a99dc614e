"""pytest plugin: every run gets its own throwaway PostgreSQL and Valkey before settings are read."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator

import pytest

from marketing.embedded import KINDS, throwaway_services


def use_own_redis_database(worker: str) -> None:
    """Database 0 stays with the controller; worker gw3 uses 4, so that nobody flushes a neighbour."""
    number = int(worker.removeprefix("gw")) + 1
    url = os.environ["REDIS_URL"]
    pattern = r"(?<=[?&]db=)\d+" if url.startswith("unix:") else r"(?<=[^/]/)\d+(?=\?|$)"
    os.environ["REDIS_URL"] = re.sub(pattern, str(number), url)


# A wrapper runs before pytest-django's own hook, which imports the settings.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        use_own_redis_database(worker)
    else:
        missing = [name for name in KINDS if not os.environ.get(name)]
        if missing:
            running = contextlib.ExitStack()
            os.environ.update(running.enter_context(throwaway_services(names=missing)))
            early_config.add_cleanup(running.close)
    return (yield)
