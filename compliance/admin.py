from django.contrib import admin

# Registers by being imported.
import compliance.admin_privacy
import compliance.admin_rules  # noqa: F401
from accounts.admin_site import ReadOnlyAdmin
from compliance.models import Review


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Staff see what waits and who decided. They decide nothing: an approval is a customer's."""

    list_display = ["kind", "object_id", "workspace", "status", "requested_by", "requested_at", "decided_by", "reason"]
    list_filter = ["status", "kind"]
    list_select_related = ["workspace", "requested_by", "decided_by"]
    search_fields = ["object_id", "reason", "requested_by__email", "workspace__name", "workspace__slug"]
    date_hierarchy = "requested_at"
