from django.urls import path

from compliance.api import guard

app_name = "compliance-api"
urlpatterns = [
    path("guard/check", guard.CheckView.as_view(), name="guard-check"),
    path("guard/rules", guard.RuleListView.as_view(), name="guard-rules"),
    path("guard/settings", guard.SettingsView.as_view(), name="guard-settings"),
    path("guard/terms", guard.TermListView.as_view(), name="guard-terms"),
    path("guard/terms/<uuid:term_id>", guard.TermView.as_view(), name="guard-term"),
]
