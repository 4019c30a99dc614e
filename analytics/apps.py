from django.apps import AppConfig

REPORT = {"type": "object", "properties": {"report": {"type": "string"}}, "required": ["report"]}


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from agents.workflows.registry import Workflow, register
        from analytics import inventory  # noqa: F401  (declares the models)
        from analytics.reporting.workflow import run_report

        register(Workflow("report", "Report", run_report, schema=REPORT, is_inner=True))
