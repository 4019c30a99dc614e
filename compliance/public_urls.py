"""Pages for people without an account: no log-in, no cookies."""

from django.urls import path

from compliance.views import choices, privacy_public

app_name = "public"
urlpatterns = [
    path("privacy-choices/<str:token>", choices.privacy_choices, name="choices"),
    path("privacy-choices/<str:token>/unsubscribe", choices.unsubscribe, name="unsubscribe"),
    path("privacy", privacy_public.privacy_page, name="privacy"),
    path("privacy/requests/<str:token>", privacy_public.privacy_request, name="privacy-request"),
    path("privacy/requests/<str:token>/confirm", privacy_public.confirm, name="privacy-confirm"),
    path("privacy/requests/<str:token>/file", privacy_public.own_copy, name="privacy-copy"),
    path("privacy/resume/<str:token>", privacy_public.lift, name="privacy-lift"),
    path("privacy/resume/<str:token>/now", privacy_public.lift_now, name="privacy-lift-now"),
]
