"""What a brief has to tell one person: a few queries, and what colleagues share is gathered once a day."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.expressions import Func
from django.db.models.functions import Cast

from accounts.access import Actor
from accounts.models import Notification, Workspace
from analytics.models import Anomaly
from analytics.queries.words import signed_percent
from analytics.reporting.gather import gather
from analytics.reporting.turns import last_whole
from campaigns.access import visible_deliveries
from campaigns.attention import TABS, count_attention
from campaigns.models import Delivery
from lib.text import one_line
from personal.models import Observation, Watch, WatchKind
from personal.strangers import repeatable
from personal.values import show_value
from personal.wording import words

Line = dict[str, str]
Section = dict[str, Any]
SHOWN = 8
CLIP = 120
SHARED_S = 3600
STILL_COMING = (Delivery.State.SCHEDULED, Delivery.State.RETRY_WAIT, Delivery.State.PAUSED, Delivery.State.IN_REVIEW)


@dataclass(frozen=True)
class Gathered:
    """`sections`: [{"key", "title", "lines": [{"text", "path"}]}], none empty. `told`: watch to observation."""

    sections: list[Section]
    told: dict[UUID, int] = field(default_factory=dict)


def gather_news(by: Actor, at: datetime, since: datetime, language: str) -> Gathered:
    """Inside the workspace's scope."""
    watching, told = _watchlist(by, language)
    parts = [
        ("needs_you", "", _needs_you(by, language)),
        ("today", "", _today(by, at, language)),
        ("yesterday", day_text(_yesterday(by, at), language), _results(by.workspace, at, language)),
        ("watchlist", "", watching),
        ("alerts", "", _alerts(by, since)),
    ]
    say = words(language)
    sections = [{"key": key, "title": say[key].format(day=day), "lines": lines} for key, day, lines in parts if lines]
    return Gathered(sections, told)


def zone_of(by: Actor) -> str:
    return (by.user.time_zone if by.user else "") or by.workspace.time_zone


def day_text(at: datetime, language: str) -> str:
    return f"{at.year}年{at.month}月{at.day}日" if language == "zh" else f"{at.day} {at:%B %Y}"


def line(text: str, path: str = "") -> Line:
    return {"text": text, "path": path}


def clip(text: object, length: int = CLIP) -> str:
    plain = one_line(text)
    return plain if len(plain) <= length else plain[: length - 1] + "…"


# --- the workspace ------------------------------------------------------------------------------------------


def _needs_you(by: Actor, language: str) -> list[Line]:
    counts, say = count_attention(by), words(language)
    paths = dict.fromkeys(TABS, "/attention/") | {"reviews": "/reviews", "connections": "/connections"}
    return [line(say[tab].format(n=counts[tab]), paths[tab]) for tab in TABS if counts[tab]]


def _today(by: Actor, at: datetime, language: str) -> list[Line]:
    """On the person's own clock, from now to midnight."""
    zone, say = ZoneInfo(zone_of(by)), words(language)
    local = at.astimezone(zone)
    # Midnight by the calendar: a day that is an hour shorter still ends there.
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = visible_deliveries(by).filter(state__in=STILL_COMING, scheduled_at__gte=at, scheduled_at__lt=midnight)
    found = list(rows.select_related("post", "connection").order_by("scheduled_at", "pk")[: SHOWN + 1])
    lines = [
        line(
            say["due"].format(
                time=f"{row.scheduled_at.astimezone(zone):%H:%M}" if row.scheduled_at else "",
                account=row.connection,
                text=clip(row.post),
            ),
            f"/posts/{row.post_id}",
        )
        for row in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        lines.append(line(say["more_due"].format(n=rows.count() - SHOWN), "/calendar"))
    return lines


def _yesterday(by: Actor, at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(by.workspace.time_zone)) - timedelta(days=1)


def _results(workspace: Workspace, at: datetime, language: str) -> list[Line]:
    """Of yesterday on the workspace's clock; the same for all its members, so gathered once for them."""
    period = last_whole("day", at, workspace.time_zone)
    key = f"brief-day:{workspace.pk}:{period.start}:{language}"
    lines: list[Line] | None = cache.get(key)
    if lines is None:
        lines = _result_lines(gather(workspace, period, language=language), language)
        cache.set(key, lines, SHARED_S)
    return lines


def _result_lines(data: dict[str, Any], language: str) -> list[Line]:
    """Facts with their change, then what is not known and why; nothing where nothing was measured at all."""
    say = words(language)
    facts = [fact for fact in data["facts"] if fact["value"]]
    lines = []
    for fact in facts:
        change = fact.get("change_text")
        text = say["fact_change" if change else "fact"]
        lines.append(line(text.format(label=fact["label"], value=fact["text"], change=change), "/results?days=7"))
    gaps = [line(say["gap"].format(note=clip(note, 200)), "/results") for note in data["notes"]]
    return lines + gaps[:3] if lines else []


def _alerts(by: Actor, since: datetime) -> list[Line]:
    mine = Notification.objects.filter(workspace=by.workspace, user=by.user, is_alert=True, read_at=None)
    told = list(mine.filter(created_at__gt=since).order_by("-created_at")[:SHOWN])
    odd = list(Anomaly.objects.filter(workspace=by.workspace, created_at__gt=since)[:3])
    return [line(row.text, row.path) for row in told] + [line(row.text, "/results") for row in odd]


# --- the watchlist ------------------------------------------------------------------------------------------


def with_news(watches: QuerySet[Watch]) -> QuerySet[Watch]:
    """Adds `former` (the observation last told of, or the oldest kept) and `fresh` (how many new posts)."""
    kept = Observation.objects.filter(value=OuterRef("value"))
    former = kept.filter(seq__gte=OuterRef("seen_seq")).order_by("seq").values("data")[:1]
    length = Func(F("data__items"), function="jsonb_array_length", output_field=IntegerField())
    unseen = kept.filter(seq__gt=OuterRef("seen_seq")).order_by().values("value").annotate(n=Sum(length)).values("n")
    return watches.annotate(former=Subquery(former), fresh=Cast(Subquery(unseen), IntegerField()))


def _watchlist(by: Actor, language: str) -> tuple[list[Line], dict[UUID, int]]:
    mine = Watch.objects.select_related("value").filter(workspace=by.workspace, user=by.user)
    rows = list(with_news(mine.filter(value__last_seq__gt=F("seen_seq"))).order_by("created_at", "pk"))
    lines = [line(news_text(row, language), "/you/watchlist") for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(line(words(language)["more_news"].format(n=len(rows) - SHOWN), "/you/watchlist"))
    return lines, {row.pk: row.value.last_seq for row in rows}


def news_text(row: Watch, language: str) -> str:
    """Of a watch that `with_news` has read."""
    say, data = words(language), row.value.data
    name = row.label or show_value(row.value.kind, row.value.value)
    if row.value.kind != WatchKind.SYMBOL:
        text, n = clip(repeatable(data.get("text", ""))), getattr(row, "fresh", None) or 1
        return say["posts" if text else "posts_withheld"].format(name=name, n=n, text=text)
    price = f"{data.get('text', '')} {data.get('currency', '')}".strip()
    former = ((getattr(row, "former", None) or {}).get("data") or {}).get("price")
    change = data["price"] / former - 1 if former else 0
    if not change:
        return say["price"].format(name=name, price=price)
    return say["price_change"].format(name=name, price=price, change=signed_percent(change, digits=1))
