from django.urls import path

from agents.api import assistant_versions, assistants, converters, memory, messages, prompts, social, tasks, threads  # noqa: F401  (registers the converters)
from agents.api.tenants import SyncView, TenantDetailView, TenantStatusView
from agents.api.tokens import TestView, TokenView, VerifyView

app_name = "agents-api"
ASSISTANT = "v1/assistants/<assistant:assistant_id>"
PROMPT = "v1/prompts/<assistant:assistant_id>"
THREAD = "v1/threads/<uuid:thread_id>"
RUN = f"{THREAD}/runs/<uuid:run_id>"
TASKS = "api/users/<uuid:user_id>/tasks"
TASK = f"{TASKS}/<uuid:task_id>"
urlpatterns = [
    path("v1/messages", messages.MessagesView.as_view(), name="messages"),
    path("v1/messages/responses", messages.ResponsesView.as_view(), name="responses"),
    path("v1/messages/responses/structured", messages.StructuredView.as_view(), name="responses-structured"),
    path("v1/threads", threads.ThreadListView.as_view(), name="threads"),
    path(THREAD, threads.ThreadView.as_view(), name="thread"),
    path(f"{THREAD}/messages", threads.MessageListView.as_view(), name="thread-messages"),
    path(f"{THREAD}/copy", threads.ThreadCopyView.as_view(), name="thread-copy"),
    path(f"{THREAD}/runs/wait", threads.RunWaitView.as_view(), name="run-wait"),
    path(f"{THREAD}/runs/async", threads.RunAsyncView.as_view(), name="run-async"),
    path(f"{RUN}/status", threads.RunStatusView.as_view(), name="run-status"),
    path(f"{RUN}/cancel", threads.RunCancelView.as_view(), name="run-cancel"),
    path(f"{RUN}/resume", threads.RunResumeView.as_view(), name="run-resume"),
    path(f"{RUN}/stream", threads.RunStreamView.as_view(), name="run-stream"),
    path("v1/runs/<uuid:run_id>/status", threads.RunStatusAloneView.as_view(), name="run-status-alone"),
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
    path("v1/social-media/comment", social.CommentView.as_view(), name="social-comment"),
    path("v1/social-media/reply", social.ReplyView.as_view(), name="social-reply"),
    path("v1/social-media/chat", social.ChatView.as_view(), name="social-chat"),
    path("v1/social-media/keywords", social.KeywordsView.as_view(), name="social-keywords"),
    path("v1/social-media/reload-prompt", social.ReloadPromptView.as_view(), name="social-reload-prompt"),
    path("v1/memory", memory.MemoryListView.as_view(), name="memory"),
    path("v1/memory/search", memory.RecallView.as_view(), name="memory-search"),
    path("v1/memory/<uuid:item_id>", memory.MemoryView.as_view(), name="memory-item"),
    path("v1/memory/<uuid:item_id>/undo", memory.MemoryUndoView.as_view(), name="memory-undo"),
    path(TASKS, tasks.TaskListView.as_view(), name="tasks"),
    path(TASK, tasks.TaskView.as_view(), name="task"),
    path(f"{TASK}/pause", tasks.TaskPauseView.as_view(), name="task-pause"),
    path(f"{TASK}/resume", tasks.TaskResumeView.as_view(), name="task-resume"),
    path(f"{TASK}/run", tasks.TaskRunView.as_view(), name="task-run"),
    path(f"{TASK}/turns", tasks.TurnListView.as_view(), name="task-turns"),
    path("v1/brand", memory.BrandView.as_view(), name="brand"),
    path("v1/knowledge", memory.KnowledgeListView.as_view(), name="knowledge"),
    path("v1/knowledge/<uuid:document_id>", memory.KnowledgeView.as_view(), name="knowledge-document"),
]
