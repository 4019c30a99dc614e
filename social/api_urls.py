from django.urls import path

from social import api, telegram_api

app_name = "social-api"
urlpatterns = [
    path("twitter/connect", api.TwitterConnectView.as_view(), name="twitter-connect"),
    path("twitter/status", api.TwitterStatusView.as_view(), name="twitter-status"),
    path("twitter/disconnect", api.TwitterDisconnectView.as_view(), name="twitter-disconnect"),
    path("connections", api.ConnectionListView.as_view(), name="connections"),
    path("connections/<uuid:connection_id>", api.ConnectionView.as_view(), name="connection"),
    path("connections/<uuid:connection_id>/check", api.ConnectionCheckView.as_view(), name="connection-check"),
    path("telegram/bots", telegram_api.BotListView.as_view(), name="telegram-bots"),
    path("telegram/bots/<int:bot_id>", telegram_api.BotView.as_view(), name="telegram-bot"),
    path("telegram/codes", telegram_api.CodeView.as_view(), name="telegram-codes"),
    path("telegram/chats", telegram_api.ChatListView.as_view(), name="telegram-chats"),
    path("telegram/connect", telegram_api.ConnectView.as_view(), name="telegram-connect"),
    path("telegram/status", telegram_api.StatusView.as_view(), name="telegram-status"),
    path("telegram/disconnect", telegram_api.DisconnectView.as_view(), name="telegram-disconnect"),
    path("telegram/invite-links", telegram_api.InviteLinkListView.as_view(), name="telegram-invite-links"),
    path(
        "telegram/invite-links/<uuid:link_id>/revoke",
        telegram_api.InviteLinkRevokeView.as_view(),
        name="telegram-invite-link-revoke",
    ),
]
