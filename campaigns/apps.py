from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from accounts.guests import GUEST_SHARES
        from accounts.plans import COUNTERS
        from accounts.problems import CONFLICTS
        from accounts.staff_groups import make_staff_groups
        from agents.runs.caps import CAPS
        from campaigns import inventory, live_changes, telegram_reviews  # noqa: F401  (declares the models)
        from campaigns.account_health import follow_change
        from campaigns.dead_letters import note_stuck
        from campaigns.deliveries import KIND, REVIEW_SUBJECT
        from campaigns.errors import NotAllowedNow, StaleForm
        from campaigns.inbox.collect import hear_telegram
        from campaigns.library import stored_mb
        from campaigns.queries import campaign_cap
        from campaigns.services import share_with_invited
        from campaigns.workflows import register_workflows
        from compliance.health import FOLLOWERS
        from compliance.services import SUBJECTS
        from social.after_connect import NOTES
        from social.telegram.handlers import UPDATE_HANDLERS

        UPDATE_HANDLERS.setdefault("callback_query", []).append(telegram_reviews.hear_press)
        UPDATE_HANDLERS.setdefault("message", []).append(telegram_reviews.hear_reason)
        UPDATE_HANDLERS.setdefault("message", []).append(hear_telegram)
        SUBJECTS[KIND] = REVIEW_SUBJECT
        SUBJECTS[live_changes.KIND] = live_changes.REVIEW_SUBJECT
        NOTES["campaigns"] = note_stuck
        FOLLOWERS["campaigns"] = follow_change
        # The last of our apps: by then the permissions of all exist.
        post_migrate.connect(make_staff_groups, sender=self)
        GUEST_SHARES["campaign"] = share_with_invited
        CONFLICTS[NotAllowedNow] = "not_allowed_now"
        CONFLICTS[StaleForm] = "stale"
        register_workflows()
        CAPS["campaign"] = campaign_cap
        COUNTERS["storage_mb"] = stored_mb
