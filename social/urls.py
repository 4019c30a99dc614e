from django.urls import path

from social.views import connections as views
from social.views import hooks, people, telegram, telegram_chat

app_name = "social"
urlpatterns = [
    path("connections", views.connection_list, name="connection-list"),
    path("connections/x/connect", views.connect_x, name="connect-x"),
    # X knows this address: it never has a workspace in front.
    path("connections/x/callback", views.connect_callback, name="connect-callback"),
    path("connections/x/keys", views.own_keys, name="own-keys"),
    path("connections/x/keys/connect", views.user_keys, name="user-keys"),
    path("connections/<uuid:connection_id>/check", views.connection_check, name="connection-check"),
    path("connections/<uuid:connection_id>/pause", views.connection_pause, name="connection-pause"),
    path("connections/<uuid:connection_id>/resume", views.connection_resume, name="connection-resume"),
    path("connections/<uuid:connection_id>/disconnect", views.connection_disconnect, name="connection-disconnect"),
    path("connections/telegram/new", telegram.new, name="telegram-new"),
    path("connections/telegram/bots", telegram.bot_add, name="telegram-bot-add"),
    path("connections/telegram/bots/<int:bot_id>/choose", telegram.bot_choose, name="telegram-bot-choose"),
    path("connections/telegram/bots/<int:bot_id>/remove", telegram.bot_remove, name="telegram-bot-remove"),
    path("connections/telegram/bots/<int:bot_id>/connect", telegram.chat_connect, name="telegram-connect"),
    path(
        "connections/telegram/bots/<int:bot_id>/chats/<str:chat_id>/topic",
        telegram.topic_connect,
        name="telegram-topic-connect",
    ),
    path("connections/<uuid:connection_id>/test", telegram.test_send, name="telegram-test"),
    path("connections/<uuid:connection_id>/test/delete", telegram.test_delete, name="telegram-test-delete"),
    path("connections/<uuid:connection_id>/telegram", telegram_chat.chat, name="telegram-chat"),
    path("connections/<uuid:connection_id>/policy", telegram_chat.set_policy, name="connection-policy"),
    path("connections/<uuid:connection_id>/invite-links", telegram_chat.invite_link_create, name="invite-link-create"),
    path("connections/<uuid:connection_id>/topics", telegram_chat.topic_create, name="topic-create"),
    path("invite-links/<uuid:link_id>/revoke", telegram_chat.invite_link_revoke, name="invite-link-revoke"),
    path("profile/telegram", people.telegram_link, name="telegram-link"),
    path("profile/telegram/start", people.telegram_link_start, name="telegram-link-start"),
    path("profile/telegram/unlink", people.telegram_unlink, name="telegram-unlink"),
    # Telegram knows this address: it never has a workspace in front.
    path("hooks/telegram/<int:bot_id>", hooks.telegram, name="telegram-hook"),
]
