from django.urls import path

from integrations.views import mcp

app_name = "integrations"
urlpatterns = [
    path("settings/mcp", mcp.server_list, name="mcp-servers"),
    path("settings/mcp/new", mcp.server_new, name="mcp-new"),
    path("settings/mcp/<uuid:server_id>", mcp.server_detail, name="mcp-server"),
    path("settings/mcp/<uuid:server_id>/edit", mcp.server_edit, name="mcp-edit"),
    path("settings/mcp/<uuid:server_id>/rotate", mcp.server_rotate, name="mcp-rotate"),
    path("settings/mcp/<uuid:server_id>/suspend", mcp.server_suspend, name="mcp-suspend"),
    path("settings/mcp/<uuid:server_id>/resume", mcp.server_resume, name="mcp-resume"),
    path("settings/mcp/<uuid:server_id>/revoke", mcp.server_revoke, name="mcp-revoke"),
    path("settings/mcp/<uuid:server_id>/tokens/<uuid:token_id>/revoke", mcp.token_revoke, name="mcp-token-revoke"),
]
