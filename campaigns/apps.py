from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from accounts.guests import GUEST_SHARES
        from accounts.problems import CONFLICTS
        from campaigns import live_changes
        from campaigns.deliveries import KIND, REVIEW_SUBJECT
        from campaigns.errors import NotAllowedNow, StaleForm
        from campaigns.services import share_with_invited
        from compliance.services import SUBJECTS

        SUBJECTS[KIND] = REVIEW_SUBJECT
        SUBJECTS[live_changes.KIND] = live_changes.REVIEW_SUBJECT
        GUEST_SHARES["campaign"] = share_with_invited
        CONFLICTS[NotAllowedNow] = "not_allowed_now"
        CONFLICTS[StaleForm] = "stale"
