"""What the engine's answers say about an account, what its state does to its posts, and who is told."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts.models import Workspace
from accounts.rate import Limit
from accounts.scope import all_workspaces_scope, workspace_scope
from accounts.services import emit
from campaigns.models import LivePart
from compliance.health import Change, current_state, health_of, is_in, note_signal, reasons_of, reassess, to_reassess
from compliance.models import AccountHealth, HealthSignal
from lib.clock import now
from social.models import Connection, NetworkState
from social.networks.port import Failure, NetworkError
from social.services import tell_connection

Kind, State = HealthSignal.Kind, AccountHealth.State
HOUR = timedelta(hours=1)
# Posts an hour, as a share of POSTS_PER_HOUR, and how many of them at once.
PACE = {State.HEALTHY: (1.0, None), State.WARNED: (0.25, 2), State.RESTRICTED: (0.1, 1), State.SUSPENDED: (0.1, 1)}
# Refusals that are about the account, not about what the post says.
ABOUT_THE_ACCOUNT = {"forbidden", "refused"}
# Words of an answer, in lower case, that mean the network acted against the account.
STRIKES = (
    "account is suspended",
    "account has been suspended",
    "temporarily locked",
    "account is locked",
    "might be automated",
    "flagged as spam",
    "violating our rules",
    "violated our rules",
)
# What an edit or a deletion is told about a post that does not exist any more.
GONE = {"not_found", "gone"}
REACH_FELL = 0.5
MEANS = {
    State.HEALTHY: "works as usual again",
    State.WARNED: "has been warned: its posts go out slower, and each needs a look",
    State.RESTRICTED: "is restricted: few posts go out, and each needs a look",
    State.SUSPENDED: "is on hold: nothing goes out through it",
}


# --- what is heard -------------------------------------------------------------------------------------------


def hear_failure(connection: Connection, failure: Failure, error: NetworkError) -> None:
    """Of every call that failed (inside the workspace's scope). What may be the network's own trouble says nothing."""
    found = signal_of(failure, error)
    if found and not _is_outage(connection.network):
        note_signal(connection.workspace, connection.pk, found, error.message)


def signal_of(failure: Failure, error: NetworkError) -> str | None:
    words = error.raw.lower()
    if failure in {Failure.REJECTED, Failure.UNAUTHORIZED, Failure.PAUSED} and any(said in words for said in STRIKES):
        return Kind.STRIKE
    if failure is Failure.RATE_LIMIT and not is_app_limit(error):
        return Kind.RATE_LIMIT
    return Kind.REFUSAL if failure is Failure.REJECTED and error.code in ABOUT_THE_ACCOUNT else None


def is_app_limit(error: NetworkError) -> bool:
    """The app's window is empty, not the account's: the bucket keeps everybody back, fairly."""
    empty = {window.scope for window in error.windows if not window.remaining}
    return empty == {"app"}


def _is_outage(network: str) -> bool:
    troubled = Q(broken_until__gt=now()) | Q(failures_in_row__gte=settings.BREAKER_CONNECTION)
    return NetworkState.objects.filter(troubled, network=network).exists()


def hear_gone(part: LivePart, error: NetworkError) -> None:
    """A post of ours is not there any more, and nobody here took it down. Once for each post."""
    if error.code not in GONE or part.deleted_at is not None:
        return
    detail = f"{part.url or part.remote_id} was taken down, by the network or by hand"[:200]
    if not HealthSignal.objects.filter(connection_id=part.connection_id, kind=Kind.DELETION, detail=detail).exists():
        note_signal(part.connection.workspace, part.connection_id, Kind.DELETION, detail)


def note_reach(connection: Connection, *, usual: float, recent: float) -> bool:
    """For whoever measures: what a post usually reaches, and what the last ones did (inside the scope)."""
    if usual <= 0 or recent > usual * (1 - REACH_FELL):
        return False
    fall = round(100 * (1 - max(recent, 0) / usual))
    return note_signal(connection.workspace, connection.pk, Kind.REACH, f"{fall} % below the usual")


# --- what follows --------------------------------------------------------------------------------------------


def follow_change(change: Change) -> None:
    """In the transaction of the change: people are told."""
    connection = Connection.objects.select_related("workspace").filter(pk=change.health.connection_id).first()
    if connection is None or connection.status == Connection.Status.DISCONNECTED:
        return
    emit(connection.workspace, "connection.health", connection=str(connection.pk), state=change.after)
    why = reasons_of(change.health)
    text = f"{connection} {MEANS[State(change.after)]}."
    tell_connection(connection, f"{text} {why[0]}" if why and change.is_worse else text)


def reassess_accounts() -> int:
    """Time heals: judge all again that are not simply healthy. The number of accounts."""
    with all_workspaces_scope("find accounts that may have recovered"):
        waiting = to_reassess()
    for workspace_id, connection_id in waiting:
        with workspace_scope(workspace_id):
            reassess(Workspace(pk=workspace_id), connection_id)
    return len(waiting)


def on_hold(connection: str) -> Exists:
    """Whether the account that this field names is on hold for its health."""
    suspended = AccountHealth.objects.filter(is_in(State.SUSPENDED), connection_id=OuterRef(connection))
    return Exists(suspended)


def is_in_trouble(connection: str) -> Exists:
    """Whether the account that this field names needs a person because of its health."""
    troubled = AccountHealth.objects.filter(is_in(State.RESTRICTED, State.SUSPENDED))
    return Exists(troubled.filter(connection_id=OuterRef(connection)))


def pace_of(connection: Connection) -> Limit:
    """How many posts the account may send (inside the workspace's scope)."""
    health = health_of([connection.pk]).get(connection.pk)
    share, burst = PACE[State(current_state(health))] if health else PACE[State.HEALTHY]
    most = max(1, settings.POSTS_PER_HOUR)
    return Limit(("posts", connection.pk), max(1.0, most * share), HOUR, burst=burst or most)


# --- what pages show -----------------------------------------------------------------------------------------


def health_cards(connection_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """By connection, for those that are not healthy: state, label, reasons, and since when."""
    cards = {}
    for pk, health in health_of(connection_ids).items():
        state = State(current_state(health))
        if state != State.HEALTHY:
            cards[pk] = {
                "state": state.value,
                "label": state.label,
                "text": MEANS[state],
                "reasons": reasons_of(health),
                "since": health.changed_at,
                "is_forced": bool(health.forced_state),
            }
    return cards
