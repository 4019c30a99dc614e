from django.urls import path

from social import views

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
]
