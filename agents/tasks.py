"""Tasks carry ids and wake workers. What is true stands in Postgres, so losing a message loses nothing."""

from uuid import UUID

from celery import shared_task

from accounts.scope import all_workspaces_scope
from agents import otlp, threads
from agents.evaluation import replay, scoring
from agents.llm import ledger
from agents.memory import documents, items
from agents.memory import index as memory_index
from agents.memory import workflow as memory_workflow
from agents.periodic import worker as periodic_worker
from agents.runs import services, webhooks, worker

# Handed to the broker and not begun: more would only wait there.
HANDED_OUT = 20
# Until the next look: then others may have the slot.
PUMP_S = 1.0


@shared_task(name="agents.advance_run")
def advance_run(run_id: str) -> None:
    worker.advance(UUID(run_id))


@shared_task(name="agents.wake_runs", expires=10)
def wake_runs() -> None:
    for run_id in worker.claim_due(HANDED_OUT):
        advance_run.delay(str(run_id))


@shared_task(name="agents.end_expired_runs", expires=30)
def end_expired_runs() -> None:
    services.end_expired()


@shared_task(name="agents.send_webhooks", expires=30)
def send_webhooks() -> None:
    for workspace_id, run_id in webhooks.due_webhooks():
        send_webhook.delay(str(workspace_id), str(run_id))


@shared_task(name="agents.send_webhook")
def send_webhook(workspace_id: str, run_id: str) -> None:
    webhooks.send_webhook(UUID(workspace_id), UUID(run_id))


@shared_task(name="agents.score_runs", expires=25)
def score_runs() -> None:
    scoring.score_ended_runs()


@shared_task(name="agents.export_traces", expires=25)
def export_traces() -> None:
    otlp.export_traces()


@shared_task(name="agents.run_replays", expires=9)
def run_replays() -> None:
    for workspace_id, replay_id in replay.queued_replays():
        run_replay.delay(str(workspace_id), str(replay_id))


@shared_task(name="agents.run_replay")
def run_replay(workspace_id: str, replay_id: str) -> None:
    replay.take_replay(UUID(workspace_id), UUID(replay_id))


@shared_task(name="agents.expire_threads", expires=3000)
def expire_threads() -> None:
    with all_workspaces_scope("threads whose time is over"):
        threads.expire_threads()


# --- periodic tasks ----------------------------------------------------------------------------------------


@shared_task(name="agents.wake_periodic", expires=2)
def wake_periodic() -> None:
    for _ in range(periodic_worker.wanted_pumps()):
        do_periodic.apply_async(expires=PUMP_S * 2)


@shared_task(name="agents.do_periodic")
def do_periodic() -> None:
    periodic_worker.pump(PUMP_S)


# --- memory -----------------------------------------------------------------------------------------------


@shared_task(name="agents.read_document", time_limit=180)
def read_document(workspace_id: str, document_id: str) -> None:
    documents.read_document(UUID(workspace_id), UUID(document_id))


@shared_task(name="agents.read_documents", expires=50)
def read_documents() -> None:
    """Those whose message or worker was lost."""
    for workspace_id, document_id in documents.unread_documents():
        read_document.delay(str(workspace_id), str(document_id))


@shared_task(name="agents.start_consolidations", expires=250)
def start_consolidations() -> None:
    for workspace_id in memory_workflow.due_workspaces():
        memory_workflow.start_due(workspace_id)


@shared_task(name="agents.index_memory", time_limit=3600)
def index_memory(workspace_id: str) -> None:
    memory_index.index_memory(UUID(workspace_id))


@shared_task(name="agents.sweep_memory", expires=3000)
def sweep_memory() -> None:
    items.sweep_expired()


# --- models -----------------------------------------------------------------------------------------------


@shared_task(name="agents.sweep_model_calls", expires=50)
def sweep_model_calls() -> None:
    ledger.sweep()
