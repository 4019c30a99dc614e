from analytics.models.events import Conversion, DayRollup, Event, HourRollup, RollupCursor, VisitorDay
from analytics.models.links import Exposure, Link, LinkDomain, Tracking, UtmTemplate
from analytics.models.measures import FollowerCount, MeasuredPost, MediaCost, Snapshot, Target
from analytics.models.reports import Anomaly, Funnel, PerformanceSample, Report, ReportSchedule, Segment, SharedPage

__all__ = [
    "Anomaly",
    "Conversion",
    "DayRollup",
    "Event",
    "Exposure",
    "FollowerCount",
    "Funnel",
    "HourRollup",
    "Link",
    "LinkDomain",
    "MeasuredPost",
    "MediaCost",
    "PerformanceSample",
    "Report",
    "ReportSchedule",
    "RollupCursor",
    "Segment",
    "SharedPage",
    "Snapshot",
    "Target",
    "Tracking",
    "UtmTemplate",
    "VisitorDay",
]
