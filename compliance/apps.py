from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from compliance import inventory  # noqa: F401  (declares the models)
        from compliance.services import ReviewClaimed, ReviewClosed, ReviewHeld

        CONFLICTS[ReviewClosed] = "review_closed"
        CONFLICTS[ReviewClaimed] = "review_claimed"
        CONFLICTS[ReviewHeld] = "review_held"
