from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from accounts.problems import CONFLICTS
        from campaigns.deliveries import KIND, REVIEW_SUBJECT
        from campaigns.errors import NotAllowedNow, StaleForm
        from compliance.services import SUBJECTS

        SUBJECTS[KIND] = REVIEW_SUBJECT
        CONFLICTS[NotAllowedNow] = "not_allowed_now"
        CONFLICTS[StaleForm] = "stale"
