"""Whether the key store may hold anything: after most tests nobody wrote to it, and it need not be emptied."""

import os
import subprocess
from typing import Any

import pytest
from django.core.cache import cache
from redis.connection import AbstractConnection


class KeyStore:
    """Full until it was emptied; full again after a command of this process, or once it started another."""

    def __init__(self) -> None:
        self.is_touched = True

    def touch(self) -> None:
        self.is_touched = True

    def empty(self) -> None:
        if self.is_touched:
            cache.clear()
            self.is_touched = False

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        for owner, name in ((AbstractConnection, "send_packed_command"), (subprocess.Popen, "__init__")):
            patch.setattr(owner, name, self.noted(getattr(owner, name)))
        os.register_at_fork(before=self.touch)

    def noted(self, act: Any) -> Any:
        def noted_act(*args: Any, **kwargs: Any) -> Any:
            self.touch()
            return act(*args, **kwargs)

        return noted_act


STORE = KeyStore()
