from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from agents.workflows.chat import CHAT_TOOL_SOURCES
        from integrations import inventory  # noqa: F401  (declares the models)
        from integrations.outside.chat import outside_tools
        from integrations.servers import ServerConflict

        CONFLICTS[ServerConflict] = "not_allowed_now"
        CHAT_TOOL_SOURCES.append(outside_tools)
