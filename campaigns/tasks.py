"""Tasks carry ids and wake workers. What is true stands in Postgres, so losing a message loses nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from celery import Task, shared_task

from campaigns import (
    account_health,
    autonomy,
    autosave,
    live_changes,
    publishing_log,
    recurrences_make,
    replies,
    source_rescan,
    telegram_prompts,
    telegram_reviews,
)
from campaigns import preflight_ahead as ahead
from campaigns.engine import dispatch, look_up, publish
from campaigns.imports import applying
from campaigns.inbox import collect
from lib.clock import now
from social.networks.port import Failure, NetworkError

log = structlog.get_logger(__name__)


@shared_task(name="campaigns.dispatch_due", expires=10)
def dispatch_due() -> None:
    found = dispatch.tick()
    for workspace_id, delivery_id, fence in found.publish:
        publish_delivery.delay(str(workspace_id), str(delivery_id), fence)
    for workspace_id, delivery_id in found.look_up:
        look_up_delivery.delay(str(workspace_id), str(delivery_id))


@shared_task(name="campaigns.publish_delivery")
def publish_delivery(workspace_id: str, delivery_id: str, fence: int) -> None:
    publish.publish_delivery(UUID(workspace_id), UUID(delivery_id), fence)


@shared_task(name="campaigns.look_up_delivery")
def look_up_delivery(workspace_id: str, delivery_id: str) -> None:
    look_up.look_up_delivery(UUID(workspace_id), UUID(delivery_id))


@shared_task(name="campaigns.change_live_posts", expires=10)
def change_live_posts() -> None:
    for workspace_id, change_id in live_changes.due_changes():
        change_live_post.delay(str(workspace_id), str(change_id))


@shared_task(name="campaigns.change_live_post")
def change_live_post(workspace_id: str, change_id: str) -> None:
    live_changes.make_change(UUID(workspace_id), UUID(change_id))


@shared_task(name="campaigns.send_review_prompts")
def send_review_prompts(workspace_id: str, review_id: str) -> None:
    for prompt_id in telegram_prompts.start_prompts(UUID(workspace_id), UUID(review_id)):
        send_prompt_piece.delay(workspace_id, str(prompt_id))


@shared_task(name="campaigns.send_prompt_piece", bind=True, max_retries=8)
def send_prompt_piece(self: Task, workspace_id: str, prompt_id: str, number: int = 0) -> None:
    with retrying_floods(self):
        if telegram_prompts.send_piece(UUID(workspace_id), UUID(prompt_id), number):
            send_prompt_piece.apply_async((workspace_id, prompt_id, number + 1), countdown=1)


@shared_task(name="campaigns.tell_reviewer", bind=True, max_retries=8)
def tell_reviewer(self: Task, workspace_id: str, prompt_id: str, text: str, asks_answer: bool) -> None:
    with retrying_floods(self):
        telegram_reviews.tell_reviewer(UUID(workspace_id), UUID(prompt_id), text, asks_answer=asks_answer)


@contextmanager
def retrying_floods(task: Task) -> Iterator[None]:
    """Best effort for messages to people: a pause that Telegram asks for is kept, anything else is logged."""
    try:
        yield
    except NetworkError as error:
        if error.failure is not Failure.RATE_LIMIT or error.retry_at is None:
            log.info("reviewer_not_told", code=error.code)
            return
        raise task.retry(exc=error, countdown=max(1, (error.retry_at - now()).total_seconds())) from error


@shared_task(name="campaigns.look_at_reply_target")
def look_at_reply_target(workspace_id: str, post_id: str, tries: int = 0) -> None:
    if not replies.look_at_target(UUID(workspace_id), UUID(post_id)) and tries < 6:
        look_at_reply_target.apply_async((workspace_id, post_id, tries + 1), countdown=30 * 2**tries)


@shared_task(name="campaigns.make_occurrences", expires=60)
def make_occurrences() -> None:
    for workspace_id, recurrence_id in recurrences_make.due_recurrences():
        make_occurrence.delay(str(workspace_id), str(recurrence_id))


@shared_task(name="campaigns.make_occurrence", expires=60)
def make_occurrence(workspace_id: str, recurrence_id: str) -> None:
    recurrences_make.make_occurrence(UUID(workspace_id), UUID(recurrence_id))


@shared_task(name="campaigns.rescan_sources", expires=60)
def rescan_sources() -> None:
    for workspace_id, source_id in source_rescan.sources_to_rescan():
        scan_one_source.delay(str(workspace_id), str(source_id))
    # What a dead worker left behind.
    for workspace_id, import_id in applying.imports_to_resume():
        apply_import.delay(str(workspace_id), str(import_id))


# A message that waited this long is followed by the next round's.
@shared_task(name="campaigns.scan_source", expires=300)
def scan_one_source(workspace_id: str, source_id: str) -> None:
    source_rescan.rescan_source(UUID(workspace_id), UUID(source_id))


@shared_task(name="campaigns.end_orphaned_policies", expires=50)
def end_orphaned_policies() -> None:
    autonomy.end_orphans()


@shared_task(name="campaigns.forget_log_lines", expires=3600)
def forget_log_lines() -> None:
    publishing_log.forget_old_lines()


@shared_task(name="campaigns.forget_old_drafts")
def forget_old_drafts() -> None:
    autosave.forget_old_drafts()


@shared_task(name="campaigns.preflight_ahead", expires=50)
def preflight_ahead() -> None:
    for workspace_id in ahead.workspaces_to_check():
        preflight_workspace.delay(str(workspace_id))


# The next round asks again.
@shared_task(name="campaigns.preflight_workspace", expires=50)
def preflight_workspace(workspace_id: str) -> None:
    ahead.check_workspace(UUID(workspace_id))


@shared_task(name="campaigns.apply_import")
def apply_import(workspace_id: str, import_id: str) -> None:
    if not applying.apply_import(UUID(workspace_id), UUID(import_id)):
        apply_import.delay(workspace_id, import_id)


@shared_task(name="campaigns.reassess_accounts", expires=600)
def reassess_accounts() -> None:
    account_health.reassess_accounts()


@shared_task(name="campaigns.collect_inbox", expires=55)
def collect_inbox() -> None:
    collect.collect_due()
