from django.urls import URLPattern

app_name = "compliance-api"
urlpatterns: list[URLPattern] = []
