from django.urls import path

from agents.api import assistant_versions, assistants, converters, prompts  # noqa: F401  (registers the converters)
from agents.api.tenants import SyncView, TenantDetailView, TenantStatusView
from agents.api.tokens import TestView, TokenView, VerifyView

app_name = "agents-api"
ASSISTANT = "v1/assistants/<assistant:assistant_id>"
PROMPT = "v1/prompts/<assistant:assistant_id>"
urlpatterns = [
    path("v1/auth/token", TokenView.as_view(), name="service-token"),
    path("v1/auth/verify", VerifyView.as_view(), name="service-verify"),
    path("v1/auth/test", TestView.as_view(), name="service-test"),
    path("v1/tenants/sync", SyncView.as_view(), name="tenant-sync"),
    path("v1/tenants/<str:tenant_id>", TenantDetailView.as_view(), name="tenant"),
    path("v1/tenants/<str:tenant_id>/status", TenantStatusView.as_view(), name="tenant-status"),
    path("v1/assistants", assistants.AssistantListView.as_view(), name="assistants"),
    path(ASSISTANT, assistants.AssistantView.as_view(), name="assistant"),
    path(f"{ASSISTANT}/restore", assistants.RestoreView.as_view(), name="assistant-restore"),
    path(f"{ASSISTANT}/reload", assistants.ReloadView.as_view(), name="assistant-reload"),
    path(f"{ASSISTANT}/versions", assistant_versions.VersionListView.as_view(), name="assistant-versions"),
    path(f"{ASSISTANT}/versions/<int:number>", assistant_versions.VersionView.as_view(), name="assistant-version"),
    path(f"{ASSISTANT}/rollback", assistant_versions.RollbackView.as_view(), name="assistant-rollback"),
    path(f"{ASSISTANT}/clone", assistant_versions.CloneView.as_view(), name="assistant-clone"),
    path(f"{ASSISTANT}/validate", assistant_versions.ValidateView.as_view(), name="assistant-validate"),
    path(f"{ASSISTANT}/labels/<str:label>", assistant_versions.LabelView.as_view(), name="assistant-label"),
    path(f"{ASSISTANT}/diff", assistant_versions.DiffView.as_view(), name="assistant-diff"),
    path("v1/prompts/templates", prompts.TemplateListView.as_view(), name="prompt-templates"),
    path("v1/prompts/templates/<uuid:template_id>", prompts.TemplateView.as_view(), name="prompt-template"),
    path("v1/prompts/rollback", assistant_versions.NamedRollbackView.as_view(), name="prompts-rollback"),
    path("v1/prompts/clone", assistant_versions.NamedCloneView.as_view(), name="prompts-clone"),
    path("v1/prompts/validate", assistant_versions.NamedValidateView.as_view(), name="prompts-validate"),
    path(PROMPT, prompts.PromptView.as_view(), name="prompt"),
    path(f"{PROMPT}/rollback", assistant_versions.RollbackView.as_view(), name="prompt-rollback"),
    path(f"{PROMPT}/clone", assistant_versions.CloneView.as_view(), name="prompt-clone"),
    path(f"{PROMPT}/validate", assistant_versions.ValidateView.as_view(), name="prompt-validate"),
    path(
        "v1/prompts/<tenant:tenant_id>/<assistant:assistant_id>",
        prompts.TenantPromptView.as_view(),
        name="tenant-prompt",
    ),
    path(f"{PROMPT}/<tenant:tenant_id>/<str:version>", prompts.TenantVersionView.as_view(), name="tenant-version"),
]
