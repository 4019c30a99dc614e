from django.urls import path

from social import api

app_name = "social-api"
urlpatterns = [
    path("twitter/connect", api.TwitterConnectView.as_view(), name="twitter-connect"),
    path("twitter/status", api.TwitterStatusView.as_view(), name="twitter-status"),
    path("twitter/disconnect", api.TwitterDisconnectView.as_view(), name="twitter-disconnect"),
    path("connections", api.ConnectionListView.as_view(), name="connections"),
    path("connections/<uuid:connection_id>", api.ConnectionView.as_view(), name="connection"),
    path("connections/<uuid:connection_id>/check", api.ConnectionCheckView.as_view(), name="connection-check"),
]
