from django.contrib import admin

from accounts.admin_site import ReadOnlyAdmin
from analytics.models import Conversion, FollowerCount, Link, LinkDomain, MeasuredPost, Snapshot

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


@admin.register(Link)
class LinkAdmin(ReadOnlyAdmin):
    list_display = ["code", "title", "workspace", "campaign", "is_active", "created_at"]
    list_filter = ["is_active"]
    list_select_related = ["workspace", "campaign"]
    search_fields = ["code", "title", "target", *WORKSPACE]
    date_hierarchy = "created_at"


@admin.register(LinkDomain)
class LinkDomainAdmin(ReadOnlyAdmin):
    list_display = ["host", "workspace", "verified_at", "problem_text"]
    list_filter = [("verified_at", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace"]
    search_fields = ["host", *WORKSPACE]


@admin.register(Conversion)
class ConversionAdmin(ReadOnlyAdmin):
    list_display = ["key", "goal", "workspace", "source", "value_micro", "at"]
    list_filter = ["source"]
    list_select_related = ["workspace"]
    search_fields = ["key", "goal", *WORKSPACE]
    date_hierarchy = "at"
