from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from accounts.plans import COUNTERS
        from accounts.problems import CONFLICTS
        from accounts.services import LEAVING
        from agents.workflows.chat import CHAT_TOOL_SOURCES
        from integrations import inventory  # noqa: F401  (declares the models)
        from integrations.outside.chat import outside_tools
        from integrations.outside.services import count_attached
        from integrations.servers import ServerConflict, count_servers, end_servers_of
        from integrations.webhooks.services import count_endpoints

        CONFLICTS[ServerConflict] = "not_allowed_now"
        COUNTERS.update(webhooks=count_endpoints, mcp_servers=count_servers, outside_servers=count_attached)
        LEAVING["mcp"] = end_servers_of
        CHAT_TOOL_SOURCES.append(outside_tools)
