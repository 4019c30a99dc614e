"""Which worker does what. A worker without `-Q` takes from every queue; the big ones get workers of their own."""

from kombu import Queue

DEFAULT = "celery"
PUBLISHING = "publishing"  # what a due post waits for
AGENTS = "agents"  # minutes of waiting for models
SLOW = "slow"  # files, reports, sweeps: long, and nobody looks at the clock
NAMES = (DEFAULT, PUBLISHING, AGENTS, SLOW)

TASKS = {
    PUBLISHING: (
        "campaigns.change_live_post",
        "campaigns.change_live_posts",
        "campaigns.dispatch_due",
        "campaigns.look_up_delivery",
        "campaigns.publish_delivery",
    ),
    AGENTS: (
        "agents.advance_run",
        "agents.run_replay",
        "agents.score_runs",
    ),
    SLOW: (
        "accounts.anchor_audit",
        "agents.index_memory",
        "agents.read_document",
        "agents.sweep_memory",
        "analytics.find_anomalies",
        "analytics.keep_partitions",
        "analytics.make_reports",
        "campaigns.apply_import",
        "campaigns.forget_log_lines",
        "campaigns.rescan_sources",
        "campaigns.scan_source",
        "compliance.delete_due_workspaces",
        "compliance.run_privacy_request",
        "compliance.sweep_retention",
        "social.check_connections",
    ),
}
# Where one worker takes from all queues, a run stands behind publishing: it may take minutes. (0 is the most urgent.)
PRIORITIES = {"agents.advance_run": 6}


def queues() -> list[Queue]:
    # Without keys of their own all queues would get a copy of every message.
    return [Queue(name, routing_key=name) for name in NAMES]


def routes() -> dict[str, dict[str, object]]:
    """{task: {"queue": …, "priority": …}} for Celery; what is not named here goes to the default queue."""
    found: dict[str, dict[str, object]] = {}
    for queue, tasks in TASKS.items():
        found |= {task: {"queue": queue} for task in tasks}
    for task, priority in PRIORITIES.items():
        found[task]["priority"] = priority
    return found
