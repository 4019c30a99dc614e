from integrations.models.mcp import McpServer, McpToken, McpUsage, OAuthClient, OAuthCode, OutsideServer
from integrations.models.search import SearchDue, SearchEntry
from integrations.models.webhooks import WebhookDelivery, WebhookEndpoint, WebhookTry

__all__ = [
    "McpServer",
    "McpToken",
    "McpUsage",
    "OAuthClient",
    "OAuthCode",
    "OutsideServer",
    "SearchDue",
    "SearchEntry",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookTry",
]
