from django.apps import AppConfig


class SocialConfig(AppConfig):
    name = "social"

    def ready(self) -> None:
        from accounts.plans import COUNTERS
        from social import inventory  # noqa: F401  (declares the models)
        from social.places import count_connected
        from social.telegram import commands, membership
        from social.telegram.handlers import UPDATE_HANDLERS

        COUNTERS["connections"] = count_connected
        for kind, handler in (
            ("my_chat_member", membership.hear_own_membership),
            ("chat_member", membership.hear_joins),
            ("message", membership.hear_changes),
            ("message", commands.hear_message),
            ("channel_post", commands.hear_message),
        ):
            UPDATE_HANDLERS.setdefault(kind, []).append(handler)
