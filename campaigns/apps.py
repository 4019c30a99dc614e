from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from campaigns.deliveries import KIND, REVIEW_SUBJECT
        from compliance.services import SUBJECTS

        SUBJECTS[KIND] = REVIEW_SUBJECT
