from django.urls import URLPattern, URLResolver

app_name = "analytics-api"
urlpatterns: list[URLPattern | URLResolver] = []
