from django.apps import AppConfig


class PersonalConfig(AppConfig):
    name = "personal"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from agents.periodic.registry import register as register_kind
        from agents.workflows.registry import register
        from personal import inventory  # noqa: F401  (declares the models)
        from personal.kinds import KINDS
        from personal.preferences import StalePreferences
        from personal.writing import WORKFLOW

        CONFLICTS[StalePreferences] = "stale"
        register(WORKFLOW)
        for kind in KINDS:
            register_kind(kind)
