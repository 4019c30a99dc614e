from django.apps import AppConfig


class AgentsConfig(AppConfig):
    name = "agents"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from accounts.service_clients import RevisionConflict
        from agents import inventory  # noqa: F401  (declares the models)
        from agents.memory.workflow import WORKFLOW as consolidation
        from agents.periodic.services import TaskBusy
        from agents.prompts.errors import PromptConflict, StalePrompt
        from agents.runs.errors import AlreadyAnswered, KeyReused, RunConflict, ThreadBusy
        from agents.workflows import chat, social
        from agents.workflows.registry import register

        CONFLICTS[RevisionConflict] = "revision_conflict"
        CONFLICTS[RunConflict] = "not_allowed_now"
        CONFLICTS[ThreadBusy] = "thread_busy"
        CONFLICTS[AlreadyAnswered] = "answered"
        CONFLICTS[KeyReused] = "key_reused"
        CONFLICTS[PromptConflict] = "not_allowed_now"
        CONFLICTS[StalePrompt] = "stale"
        CONFLICTS[TaskBusy] = "not_allowed_now"
        register(chat.WORKFLOW)
        register(social.WORKFLOW)
        register(consolidation)
