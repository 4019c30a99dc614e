from __future__ import annotations

import contextlib
import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketing.local import PortTaken
from marketing.local_run import prepare_database, prepare_run, start_programs, start_stores
from marketing.placement import ServiceError
from marketing.processes import lock_file
from marketing.supervisor import StopRequested, Supervisor, plain_console


class Command(BaseCommand):
    help = "Start everything: database, broker, web, worker, scheduler and the sandbox. Ctrl-C stops it all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="start with an empty database")
        parser.add_argument("--visitors", action="store_true", help="let the sandbox's people follow links in posts")

    def handle(self, *args: Any, **options: Any) -> None:
        data: Path = settings.APP_DATA
        prepare_folder(data)
        with only_copy(data):
            supervisor = Supervisor(plain_console())
            try:
                supervisor.listen_for_signals()
                run_everything(data, supervisor, load_demo=not options["no_demo"], has_visitors=options["visitors"])
            except StopRequested:
                supervisor.console.say("\nStopping… (Ctrl-C again stops at once)")
            except (ServiceError, PortTaken) as error:
                raise CommandError(str(error)) from error
            finally:
                supervisor.stop()
            supervisor.console.say("Stopped.")


def run_everything(data: Path, supervisor: Supervisor, *, load_demo: bool, has_visitors: bool) -> None:
    run = prepare_run(data, supervisor)
    run.has_visitors = has_visitors
    start_stores(run)
    prepare_database(run, load_demo=load_demo)
    start_programs(run)
    while True:
        supervisor.watch()
        time.sleep(0.1)


def prepare_folder(data: Path) -> None:
    if not data.exists():
        data.mkdir(parents=True)
        data.chmod(0o711)  # root's PostgreSQL runs as another user and must pass through


@contextlib.contextmanager
def only_copy(data: Path) -> Iterator[None]:
    path = data / "up.lock"
    lock = lock_file(path)
    if lock is None:
        raise CommandError(f"{data} is in use: `manage.py up` already runs there (process {path.read_text()}).")
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    try:
        yield
    finally:
        os.close(lock)
