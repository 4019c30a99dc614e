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
        "personal.archive_briefs",
        "personal.tidy_watches",
        "social.check_connections",
    ),
}
# Where one worker takes from all queues, a run stands behind publishing: it may take minutes. (0 is the most urgent.)
PRIORITIES = {"agents.advance_run": 6}


# RabbitMQ counts the other way round, and only in queues that say how far.
LEAST = 9


def queues(*, is_amqp: bool) -> list[Queue]:
    arguments = {"x-max-priority": LEAST} if is_amqp else None
    # Without keys of their own all queues would get a copy of every message.
    return [Queue(name, routing_key=name, queue_arguments=arguments) for name in NAMES]


def priority(number: int, *, is_amqp: bool) -> int:
    """As the broker means it, of a number of which 0 is the most urgent."""
    return LEAST - number if is_amqp else number


def routes(*, is_amqp: bool) -> dict[str, dict[str, object]]:
    """{task: {"queue": …, "priority": …}} for Celery; what is not named here goes to the default queue."""
    found: dict[str, dict[str, object]] = {}
    for queue, tasks in TASKS.items():
        for task in tasks:
            found[task] = {"queue": queue, "priority": priority(PRIORITIES.get(task, 0), is_amqp=is_amqp)}
    return found
