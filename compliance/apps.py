from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from compliance.services import ReviewClosed

        CONFLICTS[ReviewClosed] = "review_closed"
