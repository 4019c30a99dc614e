from django.contrib import admin

from accounts.admin_site import ReadOnlyAdmin
from analytics.models import FollowerCount, MeasuredPost, Snapshot

WORKSPACE = ["workspace__name", "workspace__slug"]


@admin.register(MeasuredPost)
class MeasuredPostAdmin(ReadOnlyAdmin):
    list_display = [
        "remote_id",
        "connection",
        "workspace",
        "published_at",
        "due_at",
        "failures",
        "measured_at",
        "gone_at",
    ]
    list_filter = ["connection__network", ("gone_at", admin.EmptyFieldListFilter), ("part", admin.EmptyFieldListFilter)]
    list_select_related = ["connection", "workspace"]
    search_fields = ["remote_id", "text", *WORKSPACE]
    date_hierarchy = "published_at"


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ["post", "workspace", "age_s", "source", "kind", "at"]
    list_filter = ["source", "kind"]
    list_select_related = ["post", "workspace"]
    search_fields = ["post__remote_id", *WORKSPACE]
    date_hierarchy = "at"


@admin.register(FollowerCount)
class FollowerCountAdmin(ReadOnlyAdmin):
    list_display = ["connection", "workspace", "day", "count", "at"]
    list_select_related = ["connection", "workspace"]
    search_fields = ["connection__handle", *WORKSPACE]
    date_hierarchy = "day"
