"""Pages for people without an account: no log-in, no cookies."""

from django.urls import URLPattern

app_name = "public"
urlpatterns: list[URLPattern] = []
