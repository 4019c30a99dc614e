from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from accounts.api import ApiKeyListView, ApiKeyView, WorkspaceListView
from accounts.api_audit import AuditExportView, AuditVerifyView, AuditView
from accounts.api_plan import PlanView
from accounts.api_workspace import ReleaseView, StopView, WorkspaceDetailView
from accounts.auth_api import LoginView, MeView, RefreshView, RegisterView

app_name = "accounts-api"
urlpatterns = [
    path("auth/register", RegisterView.as_view(), name="register"),
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/refresh", RefreshView.as_view(), name="refresh"),
    path("auth/me", MeView.as_view(), name="me"),
    path("workspaces", WorkspaceListView.as_view(), name="workspaces"),
    path("workspace", WorkspaceDetailView.as_view(), name="workspace"),
    path("workspace/stop", StopView.as_view(), name="workspace-stop"),
    path("workspace/release", ReleaseView.as_view(), name="workspace-release"),
    path("plan", PlanView.as_view(), name="plan"),
    path("keys", ApiKeyListView.as_view(), name="keys"),
    path("keys/<uuid:key_id>", ApiKeyView.as_view(), name="key"),
    path("audit", AuditView.as_view(), name="audit"),
    path("audit/export", AuditExportView.as_view(), name="audit-export"),
    path("audit/verify", AuditVerifyView.as_view(), name="audit-verify"),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
]
