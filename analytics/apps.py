from django.apps import AppConfig

REPORT = {"type": "object", "properties": {"report": {"type": "string"}}, "required": ["report"]}


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from agents.workflows.registry import Workflow, register
        from analytics import inventory  # noqa: F401  (declares the models)
        from analytics.collection import results, telegram
        from analytics.demo import add_numbers
        from analytics.reporting.workflow import run_report
        from analytics.tracking import links
        from analytics.tracking.conversions import KeyReused
        from campaigns import audience, demo, timing
        from campaigns.link_checks import BEHIND
        from campaigns.links import SHORTENERS
        from social.telegram.handlers import UPDATE_HANDLERS

        register(Workflow("report", "Report", run_report, schema=REPORT, is_inner=True))
        SHORTENERS[links.NAME], BEHIND[links.NAME] = links.shorten, links.target_behind
        demo.EXTRAS.append(add_numbers)
        timing.MEASURED["analytics"] = results.hours_of
        audience.FACTS["measured"] = results.facts_of
        UPDATE_HANDLERS.setdefault("message_reaction_count", []).append(telegram.hear_reaction)
        UPDATE_HANDLERS.setdefault("chat_member", []).append(telegram.hear_member)
        UPDATE_HANDLERS.setdefault("channel_post", []).append(telegram.hear_channel_post)
        CONFLICTS[KeyReused] = "key_reused"
