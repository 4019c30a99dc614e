from django.apps import AppConfig


class PersonalConfig(AppConfig):
    name = "personal"

    def ready(self) -> None:
        from personal import inventory  # noqa: F401  (declares the models)
