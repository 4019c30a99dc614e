"""The models of this app, declared. Loaded by `ready()`."""

from django.conf import settings

from accounts.inventory import WITH_INSTALLATION, WITH_WORKSPACE, Rule, declare, declare_all, keep_days
from accounts.inventory_categories import MEASURES, OPERATION
from analytics.models import (
    Anomaly,
    Conversion,
    DayRollup,
    Event,
    Exposure,
    FollowerCount,
    Funnel,
    HourRollup,
    Link,
    LinkDomain,
    MeasuredPost,
    MediaCost,
    PerformanceSample,
    Report,
    ReportSchedule,
    RollupCursor,
    Segment,
    SharedPage,
    Snapshot,
    Target,
    Tracking,
    UtmTemplate,
    VisitorDay,
)

OWN, UNLINK, MENTION, DROP = Rule.OWN, Rule.UNLINK, Rule.MENTION, Rule.DROP
HERE = {"path": "workspace"}
BARE = {"path": "workspace_id"}

declare(Tracking, MEASURES, WITH_WORKSPACE, not_personal=("currency", "pixel_key"), **HERE)
declare(LinkDomain, MEASURES, WITH_WORKSPACE, not_personal=("host", "token", "problem_text"), **HERE)
declare(UtmTemplate, MEASURES, WITH_WORKSPACE, not_personal=("source", "medium", "name", "term", "content"), **HERE)
declare(Target, MEASURES, WITH_WORKSPACE, not_personal=("metric",), **HERE)
declare(Anomaly, MEASURES, WITH_WORKSPACE, not_personal=("metric", "object_kind", "text"), **HERE)
declare(Snapshot, MEASURES, WITH_WORKSPACE, not_personal=("metrics", "source", "missing"), **HERE)
declare(FollowerCount, MEASURES, WITH_WORKSPACE, **HERE)
declare(
    Link,
    MEASURES,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK, "title": MENTION, "target": MENTION},
    not_personal=("code", "split"),
    **HERE,
)
declare(
    MeasuredPost,
    MEASURES,
    WITH_WORKSPACE,
    personal={"text": MENTION},
    not_personal=("url", "remote_id", "missing"),
    **HERE,
)
declare(MediaCost, MEASURES, WITH_WORKSPACE, personal={"created_by": UNLINK, "note": MENTION}, **HERE)
declare(
    Funnel,
    MEASURES,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK, "name": MENTION},
    not_personal=("steps",),
    **HERE,
)
declare(Segment, MEASURES, WITH_WORKSPACE, personal={"created_by": UNLINK, "name": MENTION, "rules": MENTION}, **HERE)
declare(
    ReportSchedule,
    MEASURES,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK, "name": MENTION, "recipients": DROP},
    not_personal=("cron", "language", "period", "time_zone"),
    **HERE,
)
declare(
    Report,
    MEASURES,
    WITH_WORKSPACE,
    personal={"created_by": UNLINK, "title": MENTION, "data": MENTION, "insight": MENTION},
    not_personal=("time_zone", "language", "problem_text", "data_hash"),
    **HERE,
)
declare(
    SharedPage,
    MEASURES,
    keep_days(30, "expires_at"),
    personal={"created_by": UNLINK, "label": MENTION},
    not_personal=("kind", "params", "token_hash"),
    secret=("token_hash",),
    **HERE,
)
# A visitor is a keyed digest or a random id of our own: nobody's name, and nothing to find a person by.
declare(Exposure, MEASURES, keep_days(400, "at"), not_personal=("unit", "arm", "salt"), **HERE)
declare(
    Conversion,
    MEASURES,
    WITH_WORKSPACE,
    personal={"data": MENTION},
    not_personal=("visitor", "arm", "goal", "key"),
    **HERE,
)
declare(
    Event,
    MEASURES,
    # Whole months are dropped before (`analytics.partitions`); this ends what a legal hold or a wrong clock kept.
    keep_days(31 * (settings.EVENT_MONTHS + 1), "at"),
    not_personal=("visitor", "arm", "device", "referrer", "name", "language", "bot_reason"),
    **BARE,
)
declare(VisitorDay, MEASURES, keep_days(45, "day"), not_personal=("visitor", "kind"), **BARE)
declare_all(MEASURES, WITH_WORKSPACE, HourRollup, DayRollup, not_personal=("name", "arm", "kind"), **BARE)
declare(RollupCursor, OPERATION, WITH_INSTALLATION)
declare(PerformanceSample, OPERATION, keep_days(14, "at"), not_personal=("data",))
