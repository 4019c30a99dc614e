from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from integrations import inventory  # noqa: F401  (declares the models)
        from integrations.servers import ServerConflict

        CONFLICTS[ServerConflict] = "not_allowed_now"
