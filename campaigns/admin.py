from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

# Registers by being imported.
import campaigns.admin_account_health  # noqa: F401
from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.admin_site import ReadOnlyAdmin, StaffAdmin
from accounts.models import User
from campaigns.admin_dead_letters import CauseFilter
from campaigns.deliveries import cancel_delivery, publish_now
from campaigns.errors import NotAllowedNow
from campaigns.models import (
    Attempt,
    Campaign,
    Delivery,
    HourlyRollup,
    LivePart,
    MediaAsset,
    Post,
    PostPart,
    PublishingLog,
    Source,
    SourceConnection,
    SourceItem,
)
from campaigns.services import set_campaign_status
from campaigns.sources import update_source

WORKSPACE = ["workspace__name", "workspace__slug"]
# What a person would have to publish again; anything else is still the engine's, or an approval's.
REQUEUED = {Delivery.State.FAILED, Delivery.State.MISSED, Delivery.State.RETRY_WAIT}


class ModeratedAdmin(StaffAdmin):
    """Staff read what customers own; they change it by actions only, which go through the services."""

    list_select_related = ["workspace"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def act_on(self, request: HttpRequest, rows: QuerySet[Any], name: str, act: Callable[[Any, Actor], Any]) -> None:
        """One act per row, in the workspace's audit trail and in the instance's own; refusals are shown."""
        staff = cast(User, request.user)
        done = 0
        for row in rows:
            actor = system_actor(row.workspace, f"staff {staff.email}", {Perm.PUBLISH, Perm.CONTENT_EDIT})
            try:
                act(row, actor)
            except (NotAllowedNow, ValidationError) as refusal:
                text = " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
                self.message_user(request, f"{row}: {text}", messages.WARNING)
                continue
            audit.record_staff(name, row, staff=staff.email, workspace=row.workspace.slug)
            done += 1
        self.message_user(request, f"{done} done.", messages.SUCCESS)


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields or [])

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Campaign)
class CampaignAdmin(ModeratedAdmin):
    list_display = ["name", "workspace", "status", "starts_on", "ends_on", "post_count", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "goal", *WORKSPACE]
    date_hierarchy = "created_at"
    actions = ["pause"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).annotate(posts_found=Count("posts"))

    @admin.display(description="posts", ordering="posts_found")
    def post_count(self, campaign: Campaign) -> int:
        return cast(Any, campaign).posts_found

    @admin.action(description="Pause: nothing of it goes out", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self.act_on(request, queryset, "campaign.pause", lambda row, by: set_campaign_status(row, "paused", by=by))


class PartInline(ReadOnlyInline):
    model = PostPart
    fields = ["position", "text"]


class PostDeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = ["connection", "state", "scheduled_at", "published_at", "problem_text"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("connection")


@admin.register(Post)
class PostAdmin(ModeratedAdmin):
    list_display = ["__str__", "workspace", "campaign", "made_with_ai", "revision", "created_by", "created_at"]
    list_filter = ["made_with_ai"]
    list_select_related = ["workspace", "campaign", "created_by"]
    search_fields = ["title", "parts__text", "created_by__email", *WORKSPACE]
    date_hierarchy = "created_at"
    inlines = [PartInline, PostDeliveryInline]


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ["number", "outcome", "started_at", "submitting_at", "finished_at", "http_status", "request_id", "message"]
    show_change_link = True


class LivePartInline(ReadOnlyInline):
    model = LivePart
    fields = ["position", "remote_id", "url", "was_found", "published_at"]


@admin.register(Delivery)
class DeliveryAdmin(ModeratedAdmin):
    list_display = ["post", "connection", "workspace", "state", "scheduled_at", "due_at", "failures", "problem_text"]
    list_filter = ["state", "connection__network", CauseFilter]
    list_select_related = ["post", "connection", "workspace"]
    search_fields = ["post__title", "connection__handle", "problem_code", "live_parts__remote_id", *WORKSPACE]
    date_hierarchy = "created_at"
    inlines = [AttemptInline, LivePartInline]
    actions = ["cancel", "requeue"]

    @admin.action(description="Cancel: it is not sent", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.act_on(request, queryset, "delivery.cancel", lambda row, by: cancel_delivery(row, by=by))

    @admin.action(description="Queue again: what failed or was missed is sent now", permissions=["change"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.act_on(request, queryset, "delivery.requeue", _requeue)


def _requeue(row: Delivery, by: Actor) -> None:
    if row.state not in REQUEUED:
        raise NotAllowedNow(f"It is {row.get_state_display().lower()}, so there is nothing to repeat.")
    publish_now(row, by=by)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "number", "workspace", "outcome", "http_status", "code", "request_id", "claimed_at"]
    list_filter = ["outcome", "http_status"]
    list_select_related = ["delivery", "workspace"]
    search_fields = ["request_id", "code", "message", "delivery__post__title", *WORKSPACE]
    date_hierarchy = "claimed_at"


class TargetInline(ReadOnlyInline):
    model = SourceConnection
    fields = ["connection"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceConnection]:
        return super().get_queryset(request).select_related("connection")


@admin.register(Source)
class SourceAdmin(ModeratedAdmin):
    list_display = ["name", "workspace", "folder", "is_active", "problem_count", "scanned_at", "scan_error"]
    list_filter = ["is_active", ("scan_error", admin.EmptyFieldListFilter)]
    search_fields = ["name", "folder", *WORKSPACE]
    date_hierarchy = "created_at"
    inlines = [TargetInline]
    actions = ["switch_off"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        is_problem = Q(items__status=SourceItem.Status.PROBLEM)
        return super().get_queryset(request).annotate(problems_found=Count("items", filter=is_problem))

    @admin.display(description="problems", ordering="problems_found")
    def problem_count(self, source: Source) -> int:
        return cast(Any, source).problems_found

    @admin.action(description="Switch off: it is no longer scanned by itself", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self.act_on(request, queryset, "source.switch_off", lambda row, by: update_source(row, by=by, is_active=False))


@admin.register(PublishingLog)
class PublishingLogAdmin(ReadOnlyAdmin):
    list_display = ["at", "action", "status", "message", "workspace", "delivery_id"]
    list_filter = ["action", "status"]
    list_select_related = ["workspace"]
    search_fields = ["message", "delivery_id", "post_id", *WORKSPACE]
    date_hierarchy = "at"


@admin.register(HourlyRollup)
class HourlyRollupAdmin(ReadOnlyAdmin):
    list_display = ["hour", "workspace", "source", "created", "completed", "failed"]
    list_filter = [("source", admin.EmptyFieldListFilter)]
    list_select_related = ["workspace", "source"]
    search_fields = ["source__name", *WORKSPACE]
    date_hierarchy = "hour"


@admin.register(SourceItem)
class SourceItemAdmin(ReadOnlyAdmin):
    """A page of their own: a source may have thousands."""

    list_display = ["path", "source", "workspace", "status", "has_newer_file", "code", "message", "seen_at"]
    list_filter = ["status", "has_newer_file", "code"]
    list_select_related = ["source", "workspace"]
    search_fields = ["path", "message", "source__name", *WORKSPACE]
    date_hierarchy = "seen_at"


@admin.register(MediaAsset)
class MediaAssetAdmin(ReadOnlyAdmin):
    list_display = ["name", "workspace", "kind", "mime", "width", "height", "size_bytes", "created_at"]
    list_filter = ["kind", "mime"]
    list_select_related = ["workspace"]
    search_fields = ["name", "sha256", *WORKSPACE]
    date_hierarchy = "created_at"
