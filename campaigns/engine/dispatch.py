"""One tick: return lost work, mark what is too late, claim what is due. All in one short transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.models import Switch, Workspace
from accounts.scope import all_workspaces_scope
from accounts.services import emit, notify
from campaigns import publishing_log
from campaigns.models import Delivery
from compliance import fingerprints
from lib.clock import now

DISPATCHER_LOCK = 7_301_001


@dataclass
class Tick:
    """Ids as (workspace, delivery, fence) and (workspace, delivery)."""

    publish: list[tuple[UUID, UUID, int]] = field(default_factory=list)
    look_up: list[tuple[UUID, UUID]] = field(default_factory=list)
    returned: int = 0
    uncertain: int = 0
    missed: int = 0


def tick(at: datetime | None = None) -> Tick:
    at = at or now()
    result = Tick()
    with all_workspaces_scope("dispatch due deliveries"):
        # One dispatcher at a time: a second one would trip over the index that allows one in flight per account.
        if not _rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=DISPATCHER_LOCK)[0][0]:
            return result
        result.returned = len(_rows(RETURN_UNSENT, now=at))
        result.uncertain = len(_rows(DOUBT_SENT, now=at, settle=quiet_period()))
        due = [row[0] for row in _rows(DUE_ACCOUNTS, now=at)]
        late = _rows(MARK_LATE, now=at, due=due)
        result.missed = len(late)
        _tell_each([row[:2] for row in late if row[2] == State.MISSED], "missed", MISSED)
        dropped = [row[:2] for row in late if row[2] == State.CANCELED]
        _tell_each(dropped, "dropped", DROPPED)
        for _, delivery_id in dropped:
            fingerprints.forget(delivery_id)
        _tell_each(_rows(MARK_CUT_OFF, now=at, due=due, text=CUT_OFF), "cut_off", CUT_OFF)
        lease = at + timedelta(seconds=settings.LEASE_S)
        # What waits for a worker counts: claims that outlive their lease in a queue would come round for ever.
        ((unstarted, looking),) = _rows(COUNT_QUEUED, now=at)
        batch = max(0, settings.DISPATCH_BATCH - unstarted)
        # A stop of the whole installation stops sending, not finding out what is live.
        if not Switch.objects.filter(name=Switch.PUBLISHING, is_on=True).exists():
            breaker = settings.BREAKER_NETWORK
            result.publish = _rows(CLAIM_DUE, now=at, due=due, lease=lease, batch=batch, breaker=breaker)
        look_ups = max(0, settings.DISPATCH_BATCH - looking)
        result.look_up = _rows(CLAIM_LOOK_UPS, now=at, lease=lease, batch=look_ups)
    return result


def quiet_period() -> timedelta:
    """How long after a broken call the network may still accept it or not show it yet."""
    return timedelta(seconds=settings.LATE_ACCEPT_S + settings.READ_LAG_S)


def _rows(sql: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _tell_each(rows: list[tuple[UUID, UUID]], kind: str, text: str) -> None:
    publishing_log.write_many([delivery_id for _, delivery_id in rows], kind, publishing_log.WARNING, text)
    by_workspace: dict[UUID, list[UUID]] = {}
    for workspace_id, delivery_id in rows:
        by_workspace.setdefault(workspace_id, []).append(delivery_id)
        emit(Workspace(pk=workspace_id), f"delivery.{kind}", delivery=str(delivery_id))
    for workspace_id, ids in by_workspace.items():
        # After an outage there are many: one message says so.
        many = f"{len(ids)} posts: {text}"
        path = f"/deliveries/{ids[0]}" if len(ids) == 1 else "/attention/"
        notify(Workspace(pk=workspace_id), f"delivery.{kind}", text if len(ids) == 1 else many, path=path, alert=True)


State = Delivery.State
MISSED = "Later than this workspace allows. Send it now, move it or drop it."
DROPPED = "Dropped: it was later than this workspace allows."
CUT_OFF = "The account was disconnected while this was on its way. Connect it again, or look and say what is live."

# A worker was lost before the call: nothing can be live, so the claim is simply undone. The attempt is locked, too:
# a stale reading of it would call a part unsent whose submission was committed this moment.
RETURN_UNSENT = """
WITH lost AS (
    SELECT d.id, d.fence FROM campaigns_delivery d
    JOIN campaigns_attempt a ON a.delivery_id = d.id AND a.number = d.fence
    WHERE d.state = 'publishing' AND d.lease_until < %(now)s AND a.submitting_part IS NULL
    FOR UPDATE OF d, a SKIP LOCKED
), closed AS (
    UPDATE campaigns_attempt a SET outcome = 'abandoned', finished_at = %(now)s, code = 'worker_lost',
        message = 'The worker stopped before anything was sent.'
    FROM lost WHERE a.delivery_id = lost.id AND a.number = lost.fence
)
UPDATE campaigns_delivery d
SET state = 'retry_wait', due_at = %(now)s, lease_until = NULL, updated_at = %(now)s
FROM lost WHERE d.id = lost.id RETURNING d.id
"""

# A worker was lost after the call began: the part may be live, so somebody has to look before anything else. The
# call itself may have begun late and lasted to the end of the lease; only then the quiet period starts.
DOUBT_SENT = """
WITH lost AS (
    SELECT d.id, d.fence FROM campaigns_delivery d
    JOIN campaigns_attempt a ON a.delivery_id = d.id AND a.number = d.fence
    WHERE d.state = 'publishing' AND d.lease_until < %(now)s AND a.submitting_part IS NOT NULL
    FOR UPDATE OF d, a SKIP LOCKED
), closed AS (
    UPDATE campaigns_attempt a SET outcome = 'unknown', finished_at = %(now)s, code = 'worker_lost',
        message = 'The worker stopped during the call. The account''s posts are read to find out.'
    FROM lost WHERE a.delivery_id = lost.id AND a.number = lost.fence
)
UPDATE campaigns_delivery d
SET state = 'unconfirmed', lease_until = NULL, updated_at = %(now)s,
    due_at = greatest(%(now)s, d.lease_until + %(settle)s)
FROM lost WHERE d.id = lost.id RETURNING d.id
"""

# Asked once: all else begins with these accounts, so a flood of one workspace is read from an index and no further.
DUE_ACCOUNTS = """
SELECT connection_id FROM campaigns_delivery WHERE state IN ('scheduled', 'retry_wait') AND due_at <= %(now)s
UNION
SELECT connection_id FROM campaigns_delivery WHERE state = 'unconfirmed' AND due_at <= %(now)s
"""

# A thread with a live part is always finished; anything else that is too late asks first, or is dropped where the
# workspace wants that. OFFSET 0: one look into the index per workspace, instead of a join over all that is due.
MARK_LATE = """
WITH overdue AS MATERIALIZED (
    SELECT plan.id, w.late_policy FROM accounts_workspace w
    CROSS JOIN LATERAL (
        SELECT d.id FROM campaigns_delivery d WHERE d.workspace_id = w.id AND d.state IN ('scheduled', 'retry_wait')
            AND d.scheduled_at < %(now)s - make_interval(mins => w.late_minutes) OFFSET 0
    ) plan
    WHERE w.late_policy <> 'send'
        AND w.id IN (SELECT c.workspace_id FROM social_connection c WHERE c.id = ANY(%(due)s::uuid[]))
), late AS (
    SELECT d.id, overdue.late_policy FROM campaigns_delivery d JOIN overdue ON overdue.id = d.id
    WHERE d.state IN ('scheduled', 'retry_wait') AND d.due_at <= %(now)s
        AND NOT EXISTS (SELECT 1 FROM campaigns_livepart l WHERE l.delivery_id = d.id)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE campaigns_delivery d
SET state = CASE late.late_policy WHEN 'drop' THEN 'canceled' ELSE 'missed' END,
    due_at = NULL, updated_at = %(now)s, problem_code = 'missed',
    problem_text = CASE late.late_policy WHEN 'drop' THEN 'Dropped: it could not be sent in time.'
        ELSE 'It could not be sent in time. Send it now, move it or drop it.' END
FROM late WHERE d.id = late.id RETURNING d.workspace_id, d.id, d.state
"""

# Uncertain or half live, and nobody can go on without the account. It keeps its time: reconnecting lets it go on.
MARK_CUT_OFF = """
WITH stuck AS (
    SELECT d.id FROM campaigns_delivery d JOIN social_connection c ON c.id = d.connection_id
    WHERE c.id = ANY(%(due)s::uuid[]) AND c.status = 'disconnected'
        AND d.due_at <= %(now)s AND d.problem_code <> 'cut_off'
        AND (d.state = 'unconfirmed' OR d.state IN ('scheduled', 'retry_wait')
            AND EXISTS (SELECT 1 FROM campaigns_livepart l WHERE l.delivery_id = d.id))
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE campaigns_delivery d
SET updated_at = %(now)s, problem_code = 'cut_off', problem_text = %(text)s
FROM stuck WHERE d.id = stuck.id RETURNING d.workspace_id, d.id
"""

# Fair: the oldest of every account, then one per workspace in turn, also where many share what is left of an app's
# window. A network that failed for everybody is tried by one post first. The cost follows what is due, not what exists.
CLAIM_DUE = """
WITH free AS MATERIALIZED (
    SELECT c.id, c.workspace_id, c.app_key, c.network
    FROM social_connection c JOIN accounts_workspace w ON w.id = c.workspace_id
    WHERE c.id = ANY(%(due)s::uuid[])
        AND c.status = 'active' AND (c.limited_until IS NULL OR c.limited_until <= %(now)s)
        AND (c.broken_until IS NULL OR c.broken_until <= %(now)s)
        AND NOT w.is_suspended AND NOT w.is_stopped
        AND NOT EXISTS (
            SELECT 1 FROM compliance_accounthealth h WHERE h.workspace_id = c.workspace_id AND h.connection_id = c.id
                AND coalesce(nullif(h.forced_state, ''), h.state) = 'suspended'
        )
        AND NOT EXISTS (
            SELECT 1 FROM campaigns_delivery b WHERE b.connection_id = c.id AND b.state = 'publishing'
        )
), due AS (
    SELECT oldest.id, free.workspace_id, oldest.due_at, free.app_key, free.network FROM free
    CROSS JOIN LATERAL (
        SELECT d.id, d.due_at FROM campaigns_delivery d
        JOIN campaigns_post p ON p.id = d.post_id
        LEFT JOIN campaigns_campaign k ON k.id = p.campaign_id
        WHERE d.connection_id = free.id AND d.state IN ('scheduled', 'retry_wait') AND d.due_at <= %(now)s
            -- A pause lets a thread finish that has begun, unless it paused because the money is spent.
            AND (k.id IS NULL OR k.status = 'running' OR d.problem_code <> 'budget'
                AND EXISTS (SELECT 1 FROM campaigns_livepart l WHERE l.delivery_id = d.id))
        ORDER BY d.due_at, d.id LIMIT 1
    ) oldest
), fair AS (
    SELECT id, due_at, app_key, network, row_number() OVER (PARTITION BY workspace_id ORDER BY due_at, id) AS turn
    FROM due
), shared AS (
    SELECT id, due_at, app_key, network, turn,
        row_number() OVER (PARTITION BY app_key ORDER BY turn, due_at) AS nth_of_app,
        row_number() OVER (PARTITION BY network ORDER BY turn, due_at) AS nth_of_network
    FROM fair
), in_flight AS (
    SELECT c.app_key, c.network, count(*) AS calls FROM campaigns_delivery d
    JOIN social_connection c ON c.id = d.connection_id WHERE d.state = 'publishing' GROUP BY c.app_key, c.network
), picked AS (
    SELECT d.id FROM campaigns_delivery d JOIN shared ON shared.id = d.id
    LEFT JOIN in_flight f ON f.app_key = shared.app_key AND f.network = shared.network
    LEFT JOIN social_ratebucket b ON b.app_key = shared.app_key AND b.resets_at > %(now)s
    LEFT JOIN social_networkstate n ON n.network = shared.network
    -- Asked again under the lock: somebody may have moved it since this statement began.
    WHERE d.state IN ('scheduled', 'retry_wait') AND d.due_at <= %(now)s
        AND (b.app_key IS NULL OR shared.nth_of_app + coalesce(f.calls, 0) <= b.remaining)
        AND (n.network IS NULL OR n.failures_in_row < %(breaker)s
            OR (n.broken_until <= %(now)s AND shared.nth_of_network = 1
                AND NOT EXISTS (SELECT 1 FROM in_flight i WHERE i.network = shared.network)))
    ORDER BY shared.turn, shared.due_at LIMIT %(batch)s
    FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE campaigns_delivery d
    SET state = 'publishing', fence = d.fence + 1, lookups = 0, lease_until = %(lease)s, updated_at = %(now)s
    FROM picked WHERE d.id = picked.id RETURNING d.id, d.workspace_id, d.fence
)
INSERT INTO campaigns_attempt
    (id, workspace_id, delivery_id, number, outcome, claimed_at, request_id, code, message, raw)
SELECT gen_random_uuid(), workspace_id, id, fence, 'open', %(now)s, '', '', '', '' FROM claimed
RETURNING workspace_id, delivery_id, number
"""

# Handed out and not taken up by a worker yet; look-ups in anybody's hands.
COUNT_QUEUED = """
SELECT (
    SELECT count(*) FROM campaigns_delivery d
    JOIN campaigns_attempt a ON a.delivery_id = d.id AND a.number = d.fence
    WHERE d.state = 'publishing' AND a.started_at IS NULL
), (
    SELECT count(*) FROM campaigns_delivery d WHERE d.state = 'unconfirmed' AND d.lease_until > %(now)s
)
"""

CLAIM_LOOK_UPS = """
WITH picked AS (
    SELECT d.id FROM campaigns_delivery d JOIN social_connection c ON c.id = d.connection_id
    WHERE d.state = 'unconfirmed' AND d.due_at <= %(now)s AND c.status = 'active'
        AND (c.limited_until IS NULL OR c.limited_until <= %(now)s)
        AND (d.lease_until IS NULL OR d.lease_until < %(now)s)
    ORDER BY d.due_at LIMIT %(batch)s
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE campaigns_delivery d SET lease_until = %(lease)s, lookups = least(d.lookups + 1, 1000)
FROM picked WHERE d.id = picked.id RETURNING d.workspace_id, d.id
"""
