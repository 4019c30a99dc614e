"""How the product itself does, for staff."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_site import ReadOnlyAdmin
from analytics.models import PerformanceSample
from marketing.monitoring.pressure import BUSY, CALM, OVERLOADED

NAMES = {CALM: "calm", BUSY: "busy", OVERLOADED: "overloaded"}
# An hour, one a minute.
SHOWN = 60
WIDTH, HEIGHT = 240, 40
CURVES = (
    ("Answers a minute", ("request", "count")),
    ("Answers, p95 in ms", ("request", "p95_ms")),
    ("Tasks a minute", ("task", "count")),
    ("Waiting tasks", ("queue", "depth")),
    ("Late posts", ("publishing", "overdue")),
    ("Memory in MB", ("memory", "rss")),
)
MEGABYTE = 1_000_000


@admin.register(PerformanceSample)
class PerformanceSampleAdmin(ReadOnlyAdmin):
    list_display = ["at", "state", "answers", "p95", "errors", "tasks", "failed", "waiting", "late", "memory", "alerts"]
    list_before_template = "admin/performance_curves.html"
    fields = ["at", "state", "alerts", "parts"]
    readonly_fields = fields
    ordering = ["-at"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        newest = list(PerformanceSample.objects.order_by("-at")[:SHOWN])[::-1]
        curves = [curve(title, [number(sample, *path) for sample in newest]) for title, path in CURVES]
        return super().changelist_view(request, {**(extra_context or {}), "curves": curves})

    @admin.display(description="pressure")
    def state(self, row: PerformanceSample) -> str:
        return NAMES.get(row.data.get("pressure", CALM), "")

    @admin.display
    def answers(self, row: PerformanceSample) -> Any:
        return number(row, "request", "count")

    @admin.display(description="p95 (ms)")
    def p95(self, row: PerformanceSample) -> Any:
        return number(row, "request", "p95_ms")

    @admin.display
    def errors(self, row: PerformanceSample) -> Any:
        return number(row, "request", "errors")

    @admin.display
    def tasks(self, row: PerformanceSample) -> Any:
        return number(row, "task", "count")

    @admin.display
    def failed(self, row: PerformanceSample) -> Any:
        return number(row, "task", "errors")

    @admin.display
    def waiting(self, row: PerformanceSample) -> Any:
        return number(row, "queue", "depth")

    @admin.display(description="late (s)")
    def late(self, row: PerformanceSample) -> Any:
        return number(row, "publishing", "late_s")

    @admin.display(description="memory (MB)")
    def memory(self, row: PerformanceSample) -> Any:
        found = number(row, "memory", "rss")
        return None if found is None else round(found / MEGABYTE)

    @admin.display
    def alerts(self, row: PerformanceSample) -> str:
        return " ".join(one["text"] for one in row.data.get("alerts", []))

    @admin.display
    def parts(self, row: PerformanceSample) -> str:
        from django.template.loader import render_to_string

        slow = {kind: (row.data.get(kind) or {}).get("by_name", {}) for kind in ("request", "task")}
        return render_to_string("admin/performance_parts.html", {"data": row.data, "slow": slow})


def number(sample: PerformanceSample, *path: str) -> float | None:
    data: Any = sample.data
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data


def curve(title: str, values: list[float | None]) -> dict[str, Any]:
    """Points of an SVG polyline; what was not measured is left out."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    top = max((value for _, value in known), default=0) or 1
    step = WIDTH / max(len(values) - 1, 1)
    points = " ".join(f"{place * step:.1f},{HEIGHT - value / top * (HEIGHT - 4) - 2:.1f}" for place, value in known)
    shown = MEGABYTE if title.endswith("MB") else 1
    return {
        "title": title,
        "points": points,
        "newest": round(known[-1][1] / shown) if known else None,
        "highest": round(top / shown) if known else None,
        "width": WIDTH,
        "height": HEIGHT,
    }
