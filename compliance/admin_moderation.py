"""Staff look over the shoulder of the reviewers: what waits, what the guard found, who decided, across workspaces."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import TabularInline
from unfold.decorators import action as detail_action

from accounts import audit
from accounts.access import Actor, Perm, system_actor
from accounts.admin_badges import badge_for
from accounts.admin_reasons import Act, ReasonedActions
from accounts.admin_site import ReadOnlyAdmin
from accounts.models import User
from accounts.scope import workspace_scope
from accounts.staff import STAFF
from compliance.models import GuardDecision, Review, ReviewEvent
from compliance.reviews.decisions import reject_review
from compliance.reviews.holds import hold_review, resume_review
from compliance.reviews.subjects import ReviewClosed
from lib.clock import now

WORKSPACE = ["workspace__name", "workspace__slug"]
STATUS = {"waiting": "info", "approved": "success", "rejected": "danger", "changes": "warning", "expired": "warning"}
RISK = {"low": "", "medium": "warning", "high": "danger"}
VERDICT = {"allow": "success", "review": "warning", "block": "danger"}


class UrgencyFilter(admin.SimpleListFilter):
    title, parameter_name = "urgency", "urgency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("late", "Late"), ("held", "On hold"), ("escalated", "Escalated")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> QuerySet[Review]:
        wanted = {
            "late": Q(due_at__lt=now(), held_at=None),
            "held": Q(held_at__isnull=False),
            "escalated": Q(escalation_level__gt=0),
        }
        condition = wanted.get(self.value() or "")
        return queryset.filter(condition, status=Review.Status.WAITING) if condition else queryset


class ReviewEventInline(TabularInline):
    model = ReviewEvent
    fields = ["at", "kind", "user", "label", "text"]
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Review)
class ReviewAdmin(ReasonedActions, ReadOnlyAdmin):
    """Staff may stop something, and say why. They approve nothing: an approval is a customer's."""

    list_display = ["what", "workspace", "risk_badge", "status_badge", "due", "requested_by", "requested_at", "who"]
    list_filter = ["status", UrgencyFilter, "risk", "kind"]
    list_select_related = ["workspace", "requested_by", "decided_by"]
    search_fields = ["object_id", "reason", "hold_reason", "requested_by__email", "decided_by__email", *WORKSPACE]
    date_hierarchy = "requested_at"
    fields = [
        *["what", "workspace", "object_id", "status_badge", "risk_badge", "content", "findings"],
        *["requested_by", "requested_at", "due_at", "expires_at", "escalation_level"],
        *["claimed_by", "claimed_until", "held_at", "held_by_label", "hold_reason"],
        *["decided_by", "decided_label", "decided_at", "reason", "content_hash"],
    ]
    readonly_fields = fields
    inlines = [ReviewEventInline]
    actions = ["reject", "hold", "resume"]
    actions_detail = ["reject_this", "hold_this", "resume_this"]
    refusals = (ReviewClosed,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        rows = super().get_queryset(request).select_related("workspace")
        # What waits comes first, the most urgent of it on top.
        return rows.order_by(F("decided_at").desc(nulls_first=True), "due_at", "pk")

    def has_moderate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return cast(User, request.user).has_perm("compliance.change_review")

    def label_of(self, row: Review) -> str:
        return f"{self.what(row)}: {' '.join(_texts(row.snapshot))[:80]}"

    # --- what is shown ---

    @admin.display(description="what", ordering="kind")
    def what(self, review: Review) -> str:
        return review.kind.replace("_", " ").capitalize()

    @admin.display(description="status", ordering="status")
    def status_badge(self, review: Review) -> SafeString:
        if review.status == Review.Status.WAITING and review.held_at:
            return badge_for("held", "On hold", {"held": "warning"})
        return badge_for(review.status, review.get_status_display(), STATUS)

    @admin.display(description="risk", ordering="risk")
    def risk_badge(self, review: Review) -> SafeString:
        return badge_for(review.risk, review.get_risk_display(), RISK)

    @admin.display(description="due", ordering="due_at")
    def due(self, review: Review) -> SafeString | datetime | None:
        is_late = review.is_late and not review.held_at
        return badge_for("late", "Late", {"late": "danger"}) if is_late else review.due_at

    @admin.display(description="decided by")
    def who(self, review: Review) -> str:
        return str(review.decided_by or review.decided_label or "")

    @admin.display(description="what would be sent")
    def content(self, review: Review) -> SafeString:
        """The text as it was rendered, with what the guard found marked in it."""
        hits = review.guard.get("hits", [])
        parts = [
            mark_spans(text, [(hit["start"], hit["end"]) for hit in hits if hit.get("part", 0) == number])
            for number, text in enumerate(_texts(review.snapshot))
        ]
        return render_to_string("admin/review_content.html", {"parts": parts, "media": _media(review.snapshot)})

    @admin.display(description="hash")
    def content_hash(self, review: Review) -> SafeString:
        # In pieces, which a narrow screen can break.
        digest = review.action_hash
        return format_html_join(mark_safe("<wbr>"), "{}", ((digest[n : n + 8],) for n in range(0, len(digest), 8)))

    @admin.display(description="what the guard found")
    def findings(self, review: Review) -> SafeString:
        return render_hits(review.guard.get("hits", []))

    # --- what staff may do ---

    @admin.action(description="Reject: it goes back to its author", permissions=["moderate"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Review]) -> TemplateResponse | None:
        return self._act(request, queryset, "reject", reject_review, done="rejected")

    @admin.action(description="Put on hold: nobody can approve it", permissions=["moderate"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Review]) -> TemplateResponse | None:
        return self._act(request, queryset, "hold", hold_review, done="on hold")

    @admin.action(description="Take off hold", permissions=["moderate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Review]) -> TemplateResponse | None:
        def resume(review: Review, *, by: Actor, reason: str) -> None:
            resume_review(review, by=by)

        return self._act(request, queryset, "resume", resume, done="taken off hold")

    @detail_action(description="Reject", permissions=["moderate"], url_path="reject")
    def reject_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "reject", title=TITLES["reject"])

    @detail_action(description="Put on hold", permissions=["moderate"], url_path="hold")
    def hold_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "hold", title=TITLES["hold"])

    @detail_action(description="Take off hold", permissions=["moderate"], url_path="resume")
    def resume_this(self, request: HttpRequest, object_id: str) -> TemplateResponse:
        return self.ask_reason(request, object_id, "resume", title=TITLES["resume"])

    def _act(
        self, request: HttpRequest, rows: QuerySet[Review], name: str, service: Any, *, done: str
    ) -> TemplateResponse | None:
        act = _by_staff(name, service, cast(User, request.user))
        return self.act_with_reason(request, rows, act, title=TITLES[name], done=done)


TITLES = {
    "reject": "Reject: it goes back to its author",
    "hold": "Put on hold: nobody can approve it",
    "resume": "Take off hold",
}


def _by_staff(name: str, service: Any, staff: User) -> Act:
    """The service of the reviewers, in the name of staff, with a row in their own trail."""

    def act(review: Review, reason: str) -> bool:
        by = system_actor(review.workspace, STAFF, {Perm.REVIEW})
        # What a service looks up is the workspace's own, as it is for a reviewer.
        with workspace_scope(review.workspace_id):
            service(review, by=by, reason=reason)
        workspace = review.workspace.slug
        audit.record_staff(f"review.{name}", review, staff=staff.email, workspace=workspace, reason=reason)
        return True

    return act


@admin.register(ReviewEvent)
class ReviewEventAdmin(ReadOnlyAdmin):
    """The history of decisions, across workspaces."""

    list_display = ["at", "kind", "who", "text", "review", "workspace"]
    list_filter = ["kind", "review__kind"]
    list_select_related = ["workspace", "review", "user"]
    search_fields = ["text", "label", "user__email", "review__object_id", *WORKSPACE]
    date_hierarchy = "at"
    ordering = ["-at", "-id"]

    @admin.display(description="who", ordering="label")
    def who(self, event: ReviewEvent) -> str:
        return str(event.user or event.label)


@admin.register(GuardDecision)
class GuardDecisionAdmin(ReadOnlyAdmin):
    """The verdicts that mattered."""

    list_display = ["at", "workspace", "kind", "stage", "verdict_badge", "rules", "took_us"]
    list_filter = ["verdict", "stage", "kind", "disclosure"]
    list_select_related = ["workspace"]
    search_fields = ["object_id", "action_hash", *WORKSPACE]
    search_help_text = "The id of what was judged, a workspace, or a rule by its whole name."
    date_hierarchy = "at"
    fields = ["at", "workspace", "kind", "object_id", "stage", "verdict_badge", "disclosure", "findings", "took_us"]
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[GuardDecision], search_term: str
    ) -> tuple[QuerySet[GuardDecision], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if term := search_term.strip():
            found = found | queryset.filter(hits__contains=[{"rule": term}])
        return found, may_repeat

    @admin.display(description="verdict", ordering="verdict")
    def verdict_badge(self, decision: GuardDecision) -> SafeString:
        return badge_for(decision.verdict, decision.verdict.capitalize(), VERDICT)

    @admin.display(description="rules")
    def rules(self, decision: GuardDecision) -> str:
        return ", ".join(dict.fromkeys(str(hit.get("rule", "")) for hit in decision.hits))

    @admin.display(description="what it found")
    def findings(self, decision: GuardDecision) -> SafeString:
        return render_hits(decision.hits)


# --- texts with marks --------------------------------------------------------------------------------------------


def render_hits(hits: Sequence[dict[str, Any]]) -> SafeString:
    return render_to_string("admin/guard_hits.html", {"hits": hits})


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> SafeString:
    """The text, escaped, with each of the spans in a <mark>; spans may overlap, or lie outside."""
    pieces = [
        f"<mark>{escape(text[a:b])}</mark>" if is_hit else escape(text[a:b]) for a, b, is_hit in _cut(text, spans)
    ]
    return mark_safe("".join(pieces))  # noqa: S308 (every piece is escaped)


def _cut(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    done = 0
    for start, end in sorted(spans):
        first, last = max(start, done), min(end, len(text))
        if first < last:
            yield done, first, False
            yield first, last, True
            done = last
    yield done, len(text), False


def _texts(snapshot: dict[str, Any]) -> list[str]:
    """Of a delivery its parts; of an edit the new text."""
    parts = snapshot.get("parts")
    return [str(part.get("text", "")) for part in parts] if parts else [str(snapshot.get("text", ""))]


def _media(snapshot: dict[str, Any]) -> list[str]:
    found = [item for part in snapshot.get("parts") or [] for item in part.get("media") or []]
    return [f"{item.get('kind', 'file')}: {item.get('alt_text') or 'no description'}" for item in found]
