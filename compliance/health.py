"""How a network sees one of our accounts: signals that lose weight with age add up to a state, with its reasons."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.access import system_actor
from accounts.models import User, Workspace
from accounts.staff import STAFF, clean_reason
from compliance.models import AccountHealth, HealthSignal
from lib.clock import now
from lib.text import one_line, storable

Kind, State = HealthSignal.Kind, AccountHealth.State
HALF_LIFE = timedelta(days=14)
# By then a signal has less than a hundredth of its weight.
FORGOTTEN = timedelta(days=100)
STRIKES_COUNT = timedelta(days=30)
WEIGHTS = {Kind.STRIKE: 4.0, Kind.DELETION: 1.5, Kind.REFUSAL: 0.5, Kind.RATE_LIMIT: 0.25, Kind.REACH: 1.5}
# What a kind may add up to. Rate limits or a fall of the reach alone never do more than warn, refusals alone never
# suspend: they have many causes.
CAPS = {Kind.REFUSAL: 8.0, Kind.RATE_LIMIT: 4.0, Kind.REACH: 4.0}
# How many of a kind count in 24 hours: one cause must not be counted by every post that was planned.
DAILY = {Kind.REFUSAL: 6, Kind.RATE_LIMIT: 6, Kind.DELETION: 4, Kind.REACH: 1}
# A little below one, two and three fresh strikes (or their like), since every signal has lost some weight already.
THRESHOLDS = ((State.SUSPENDED, 11.0), (State.RESTRICTED, 5.5), (State.WARNED, 2.75))
ORDER = list(State)
# What a won appeal takes back: the newest of the first kind that there is.
APPEALED = (Kind.STRIKE, Kind.DELETION, Kind.REFUSAL)
SAID = {
    Kind.STRIKE: ("a strike", "{} strikes"),
    Kind.DELETION: ("a post that is gone from the network", "{} posts that are gone from the network"),
    Kind.REFUSAL: ("a refusal by the network", "{} refusals by the network"),
    Kind.RATE_LIMIT: ("a rate limit that was hit", "{} rate limits that were hit"),
    Kind.REACH: ("a fall of the reach", "{} falls of the reach"),
}


class Signal(Protocol):
    kind: str
    detail: str
    at: datetime


@dataclass(frozen=True)
class Standing:
    score: float
    state: str
    reasons: list[str]


@dataclass(frozen=True)
class Change:
    """Of the state that counts: staff's, where they have set one."""

    health: AccountHealth
    before: str
    after: str

    @property
    def is_worse(self) -> bool:
        return ORDER.index(State(self.after)) > ORDER.index(State(self.before))


# What the higher apps do when the state of an account changes, in the transaction of the change.
FOLLOWERS: dict[str, Callable[[Change], None]] = {}


# --- adding up ----------------------------------------------------------------------------------------------


def weigh(signals: Iterable[Signal], at: datetime) -> Standing:
    """Pure: what the signals up to this moment amount to."""
    counted = standing_signals(signals, at)
    points: dict[str, float] = {}
    for signal in counted:
        weight = WEIGHTS[Kind(signal.kind)] * 0.5 ** ((at - signal.at) / HALF_LIFE)
        points[signal.kind] = points.get(signal.kind, 0.0) + weight
    score = sum(min(value, CAPS.get(Kind(kind), value)) for kind, value in points.items())
    state = next((state for state, least in THRESHOLDS if score >= least), State.HEALTHY)
    return Standing(round(score, 3), state, _reasons(counted, points))


def standing_signals(signals: Iterable[Signal], at: datetime) -> list[Signal]:
    """The newest first; without what is too old or was taken back by an appeal."""
    recent = [signal for signal in signals if at - FORGOTTEN < signal.at <= at]
    left: list[Signal] = []
    for signal in sorted(recent, key=lambda one: one.at):
        if signal.kind == Kind.APPEAL_WON:
            _take_back(left)
        else:
            left.append(signal)
    return left[::-1]


def _take_back(left: list[Signal]) -> None:
    for kind in APPEALED:
        for signal in reversed(left):
            if signal.kind == kind:
                left.remove(signal)
                return


def _reasons(counted: Sequence[Signal], points: dict[str, float]) -> list[str]:
    """One sentence for each kind, the heaviest first."""
    numbers = Counter(signal.kind for signal in counted)
    newest = {signal.kind: signal for signal in reversed(counted)}
    found = []
    for kind in sorted(points, key=lambda one: -points[one]):
        one, many = SAID[Kind(kind)]
        what = one if numbers[kind] == 1 else many.format(numbers[kind])
        last = newest[kind]
        detail = f": {last.detail}" if last.detail else "."
        found.append(f"{what[:1].upper()}{what[1:]}, last on {last.at:%d %b %Y}{detail}")
    return found


# --- what happens to an account -------------------------------------------------------------------------------


def note_signal(workspace: Workspace, connection_id: UUID, kind: str, detail: str = "") -> bool:
    """Add one, and judge the account anew (inside the workspace's scope). False where enough of them count today."""
    with transaction.atomic():
        health = _locked(workspace, connection_id)
        today = HealthSignal.objects.filter(connection_id=connection_id, kind=kind, at__gt=now() - timedelta(days=1))
        if kind in DAILY and today.count() >= DAILY[Kind(kind)]:
            return False
        HealthSignal.objects.create(
            workspace=workspace,
            connection_id=connection_id,
            kind=kind,
            detail=one_line(storable(detail))[:200],
            at=now(),
        )
        _judge(health)
    return True


def reassess(workspace: Workspace, connection_id: UUID) -> AccountHealth:
    """As time passes signals lose weight: judge again (inside the workspace's scope)."""
    with transaction.atomic():
        health = _locked(workspace, connection_id)
        _judge(health)
    return health


def _locked(workspace: Workspace, connection_id: UUID) -> AccountHealth:
    AccountHealth.objects.bulk_create(
        [AccountHealth(workspace=workspace, connection_id=connection_id)], ignore_conflicts=True
    )
    rows = AccountHealth.objects.select_related("workspace").select_for_update(no_key=True, of=("self",))
    return rows.get(workspace=workspace, connection_id=connection_id)


def _judge(health: AccountHealth) -> None:
    before, at = current_state(health), now()
    recent = HealthSignal.objects.filter(connection_id=health.connection_id, at__gt=at - FORGOTTEN)
    standing = weigh(recent.order_by("at"), at)
    health.state, health.score, health.reasons = standing.state, standing.score, standing.reasons
    _save(health, before)


def _save(health: AccountHealth, before: str) -> None:
    after = current_state(health)
    if after != before:
        health.changed_at = now()
    health.save()
    if after != before:
        change = Change(health, before, after)
        for follow in FOLLOWERS.values():
            follow(change)


def to_reassess() -> list[tuple[UUID, UUID]]:
    """(workspace, connection) of all that time can make better (inside the all-workspaces scope)."""
    waiting = AccountHealth.objects.exclude(state=State.HEALTHY, score=0)
    return list(waiting.order_by("pk").values_list("workspace_id", "connection_id"))


# --- staff ----------------------------------------------------------------------------------------------------


def force_state(health: AccountHealth, state: str, *, reason: str, staff: User) -> bool:
    """It stays so, whatever happens, until staff take it back (inside the all-workspaces scope)."""
    return _force(health, State(state), clean_reason(reason), staff, "health.force")


def unforce_state(health: AccountHealth, *, reason: str, staff: User) -> bool:
    """What the signals say counts again. False where nothing was forced."""
    return _force(health, "", clean_reason(reason), staff, "health.unforce")


def note_by_staff(health: AccountHealth, kind: str, *, reason: str, staff: User) -> bool:
    """What no answer of a network tells: a strike somebody wrote to us about, or an appeal that was won."""
    reason = clean_reason(reason)
    with transaction.atomic():
        if not note_signal(health.workspace, health.connection_id, Kind(kind), reason):
            return False
        _record(health, f"health.{kind}", reason, staff)
    return True


def _force(health: AccountHealth, state: str, reason: str, staff: User, action: str) -> bool:
    with transaction.atomic():
        row = _locked(health.workspace, health.connection_id)
        if row.forced_state == state:
            return False
        before, row.forced_state = current_state(row), state
        row.forced_reason = reason if state else ""
        _save(row, before)
        _record(row, action, reason, staff, state=state or row.state)
    return True


def _record(health: AccountHealth, action: str, reason: str, staff: User, **data: Any) -> None:
    by = system_actor(health.workspace, STAFF, ())
    data |= {"connection": str(health.connection_id), "reason": reason}
    audit.record(action, health, by=by, **data)
    audit.record_staff(action, health, staff=staff.email, workspace=health.workspace.slug, **data)


# --- what others ask -----------------------------------------------------------------------------------------


def current_state(health: AccountHealth) -> str:
    return health.forced_state or health.state


def reasons_of(health: AccountHealth) -> list[str]:
    """For people, as sentences."""
    if health.forced_state:
        return [f"Set by staff: {health.forced_reason.rstrip('.')}."]
    return [str(reason) for reason in health.reasons]


def is_in(*states: str) -> Q:
    """Rows of AccountHealth whose state that counts is one of these."""
    return Q(forced_state__in=states) | Q(forced_state="", state__in=states)


def health_of(connection_ids: Collection[UUID]) -> dict[UUID, AccountHealth]:
    """By connection (inside a scope); healthy ones may be missing."""
    rows = AccountHealth.objects.filter(connection_id__in=connection_ids)
    return {row.connection_id: row for row in rows}


def health_facts(connection_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """What the guard is told, by connection: `account_health` and `strikes_30d`. At most two queries."""
    rows = health_of(connection_ids)
    if not rows:
        return {}
    signals: dict[UUID, list[Signal]] = {pk: [] for pk in rows}
    # An appeal may be about what is older than the strikes that count.
    for signal in HealthSignal.objects.filter(connection_id__in=list(rows), at__gt=now() - FORGOTTEN):
        signals[signal.connection_id].append(signal)
    return {pk: _facts(row, signals[pk]) for pk, row in rows.items()}


def _facts(health: AccountHealth, signals: Iterable[Signal]) -> dict[str, Any]:
    facts = {"account_health": current_state(health)}
    # Staff's word stands for all that was counted.
    return facts if health.forced_state else facts | {"strikes_30d": _strikes(signals)}


def _strikes(signals: Iterable[Signal]) -> int:
    at = now()
    counted = standing_signals(signals, at)
    return sum(signal.kind == Kind.STRIKE and signal.at > at - STRIKES_COUNT for signal in counted)
