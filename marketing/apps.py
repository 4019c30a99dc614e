from django.apps import AppConfig


class MarketingConfig(AppConfig):
    name = "marketing"

    def ready(self) -> None:
        from marketing import checks, inventory, tracing  # noqa: F401  (system checks; models of packages)

        tracing.connect()
