#!/usr/bin/env python
import os
import sys
from pathlib import Path


def join_running_stack() -> None:
    """Beside a running `manage.py up`, other commands use its database, its broker and its keys."""
    from marketing.local import running_environment

    data = Path(os.environ.get("APP_DATA") or Path(__file__).resolve().parent / "var")
    for name, value in running_environment(data).items():
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing.settings")
    if sys.argv[1:2] != ["up"]:
        join_running_stack()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
