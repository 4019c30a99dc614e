from django.urls import URLPattern, URLResolver

app_name = "personal"
urlpatterns: list[URLPattern | URLResolver] = []
