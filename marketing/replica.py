"""A read replica for what is long and only read: dashboards, exports, searches (`REPLICA_URL`)."""

from typing import Any


class ReplicaRouter:
    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        return None
