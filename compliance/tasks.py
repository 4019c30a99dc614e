"""Tasks carry ids and wake workers. What is true stands in Postgres, so losing a message loses nothing."""

from uuid import UUID

from celery import shared_task

from compliance import rule_expiry
from compliance.privacy import clocks, deletion, mails, retention, run
from compliance.reviews import escalation


@shared_task(name="compliance.tend_reviews", expires=50)
def tend_reviews() -> None:
    escalation.tend_reviews()


@shared_task(name="compliance.expire_late_reviews", expires=250)
def expire_late_reviews() -> None:
    escalation.expire_late_reviews()


@shared_task(name="compliance.tell_ending_rules", expires=3000)
def tell_ending_rules() -> None:
    for workspace_id in rule_expiry.workspaces_with_ending_terms():
        rule_expiry.tell_workspace(workspace_id)
    rule_expiry.tell_staff()


# --- privacy --------------------------------------------------------------------------------------------------


@shared_task(name="compliance.run_privacy_request", time_limit=24 * 3600)
def run_privacy_request(request_id: str) -> None:
    run.run(UUID(request_id))


@shared_task(name="compliance.run_privacy_requests", expires=50)
def run_privacy_requests() -> None:
    """Those whose message or worker was lost."""
    for request_id in run.waiting():
        run_privacy_request.delay(str(request_id))


@shared_task(name="compliance.mail_privacy_link")
def mail_privacy_link(request_id: str) -> None:
    mails.send_verification(UUID(request_id))


@shared_task(name="compliance.remind_privacy_requests", expires=3000)
def remind_privacy_requests() -> None:
    clocks.remind_due()


@shared_task(name="compliance.sweep_retention", expires=3000, time_limit=6 * 3600)
def sweep_retention() -> None:
    retention.sweep()


@shared_task(name="compliance.delete_due_workspaces", expires=3000, time_limit=6 * 3600)
def delete_due_workspaces() -> None:
    for workspace_id in deletion.due_workspaces():
        deletion.delete_workspace(workspace_id)
