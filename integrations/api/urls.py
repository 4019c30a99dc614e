from django.urls import path

from integrations.api import mcp, outside, search, webhooks

ONE = "webhooks/<uuid:endpoint_id>"
SENT = "webhooks/deliveries/<uuid:webhook_delivery_id>"
MCP = "mcp/servers/<uuid:server_id>"
OUTSIDE = "mcp/outside/<uuid:outside_id>"
app_name = "integrations-api"
urlpatterns = [
    path("webhooks", webhooks.WebhookListView.as_view(), name="webhooks"),
    path("webhooks/kinds", webhooks.WebhookKindsView.as_view(), name="webhook-kinds"),
    path(ONE, webhooks.WebhookView.as_view(), name="webhook"),
    path(f"{ONE}/rotate", webhooks.WebhookRotateView.as_view(), name="webhook-rotate"),
    path(f"{ONE}/pause", webhooks.WebhookPauseView.as_view(), name="webhook-pause"),
    path(f"{ONE}/resume", webhooks.WebhookResumeView.as_view(), name="webhook-resume"),
    path(f"{ONE}/test", webhooks.WebhookTestView.as_view(), name="webhook-test"),
    path(f"{ONE}/replay", webhooks.WebhookReplayAllView.as_view(), name="webhook-replay-failed"),
    path(f"{ONE}/deliveries", webhooks.WebhookDeliveryListView.as_view(), name="webhook-deliveries"),
    path(SENT, webhooks.WebhookDeliveryView.as_view(), name="webhook-delivery"),
    path(f"{SENT}/replay", webhooks.WebhookReplayView.as_view(), name="webhook-replay"),
    path("search", search.SearchView.as_view(), name="search"),
    path("mcp/tools", mcp.McpToolsView.as_view(), name="mcp-tools"),
    path("mcp/servers", mcp.McpServerListView.as_view(), name="mcp-servers"),
    path(MCP, mcp.McpServerView.as_view(), name="mcp-server"),
    path(f"{MCP}/rotate", mcp.McpRotateView.as_view(), name="mcp-rotate"),
    path(f"{MCP}/suspend", mcp.McpSuspendView.as_view(), name="mcp-suspend"),
    path(f"{MCP}/resume", mcp.McpResumeView.as_view(), name="mcp-resume"),
    path(f"{MCP}/usage", mcp.McpUsageView.as_view(), name="mcp-usage"),
    path(f"{MCP}/tokens/<uuid:token_id>", mcp.McpTokenView.as_view(), name="mcp-token"),
    path("mcp/outside", outside.OutsideListView.as_view(), name="outside-servers"),
    path(OUTSIDE, outside.OutsideView.as_view(), name="outside-server"),
    path(f"{OUTSIDE}/look", outside.OutsideLookView.as_view(), name="outside-look"),
    path(f"{OUTSIDE}/tools", outside.OutsideToolsView.as_view(), name="outside-tools"),
    path(f"{OUTSIDE}/pause", outside.OutsidePauseView.as_view(), name="outside-pause"),
    path(f"{OUTSIDE}/resume", outside.OutsideResumeView.as_view(), name="outside-resume"),
]
