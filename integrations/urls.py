from django.urls import path

from integrations.views import hooks, mcp, oauth, outside, search, webhooks

HOOK, SENT = "settings/webhooks/<uuid:endpoint_id>", "settings/webhooks/sent/<uuid:webhook_delivery_id>"
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
    path("settings/webhooks", webhooks.webhook_list, name="webhooks"),
    path("settings/webhooks/new", webhooks.webhook_new, name="webhook-new"),
    path("settings/webhooks/events", webhooks.webhook_kinds, name="webhook-kinds"),
    path(HOOK, webhooks.webhook_detail, name="webhook"),
    path(f"{HOOK}/edit", webhooks.webhook_edit, name="webhook-edit"),
    path(f"{HOOK}/test", webhooks.webhook_test, name="webhook-test"),
    path(f"{HOOK}/rotate", webhooks.webhook_rotate, name="webhook-rotate"),
    path(f"{HOOK}/replay", webhooks.webhook_replay_failed, name="webhook-replay-failed"),
    path(SENT, webhooks.webhook_sent, name="webhook-sent"),
    path(f"{SENT}/replay", webhooks.webhook_replay, name="webhook-replay"),
    path(f"{HOOK}/<slug:act>", webhooks.webhook_act, name="webhook-act"),
    path(".well-known/oauth-authorization-server", oauth.server_metadata, name="oauth-metadata"),
    path("oauth/authorize", oauth.authorize, name="oauth-authorize"),
    path("oauth/register", oauth.register, name="oauth-register"),
    path("oauth/token", oauth.token, name="oauth-token"),
    path("oauth/revoke", oauth.revoke, name="oauth-revoke"),
    path("search", search.search, name="search"),
    path("settings/outside", outside.outside_list, name="outside"),
    path("settings/outside/new", outside.outside_new, name="outside-new"),
    path("settings/outside/<uuid:outside_id>", outside.outside_detail, name="outside-server"),
    path("settings/outside/<uuid:outside_id>/edit", outside.outside_edit, name="outside-edit"),
    path("settings/outside/<uuid:outside_id>/look", outside.outside_look, name="outside-look"),
    path("settings/outside/<uuid:outside_id>/allow", outside.outside_allow, name="outside-allow"),
    path("settings/outside/<uuid:outside_id>/pause", outside.outside_pause, name="outside-pause"),
    path("settings/outside/<uuid:outside_id>/resume", outside.outside_resume, name="outside-resume"),
    path("settings/outside/<uuid:outside_id>/detach", outside.outside_detach, name="outside-detach"),
    # X knows this address: it never has a workspace in front.
    path("hooks/x", hooks.x, name="x-hook"),
]
