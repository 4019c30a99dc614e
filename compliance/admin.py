# Each registers by being imported.
import compliance.admin_moderation
import compliance.admin_privacy
import compliance.admin_rules  # noqa: F401
