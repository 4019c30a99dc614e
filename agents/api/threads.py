"""/v1/threads: conversations, and the runs in them."""

import time
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.http import Http404, StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import TenantView
from accounts.scope import workspace_scope
from agents import threads, traces
from agents.models import Interrupt, Message, Run, Thread
from agents.prompts.assistants import get_assistant
from agents.runs.queries import run_status
from agents.runs.services import answer_interrupt, cancel_run
from agents.streaming import event_stream

WAIT_S = 25
LOOK_S = 0.2
IDEMPOTENCY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="The same run again.")


class ThreadInput(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    assistant_id = serializers.CharField(max_length=80, required=False, help_text="Id or key.")
    metadata = serializers.DictField(required=False)
    expires_in_hours = serializers.IntegerField(required=False, min_value=1, max_value=24 * 365)


class ThreadUpdate(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    metadata = serializers.DictField(required=False)


class ThreadAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=["idle", "busy", "interrupted", "error"])
    assistant_id = serializers.UUIDField(allow_null=True)
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class MessageAnswer(serializers.Serializer[Any]):
    seq = serializers.IntegerField()
    role = serializers.ChoiceField(choices=Message.Role.choices)
    text = serializers.CharField()
    citations = serializers.ListField(child=serializers.DictField())
    run_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class RunInput(serializers.Serializer[Any]):
    """`message` for a conversation, or `input` for a workflow that takes something else."""

    message = serializers.CharField(max_length=threads.MAX_TEXT, required=False, trim_whitespace=False)
    input = serializers.DictField(required=False)
    workflow = serializers.CharField(max_length=40, required=False)
    assistant_id = serializers.CharField(max_length=80, required=False, help_text="Id or key.")
    multitask_strategy = serializers.ChoiceField(Run.Multitask.choices, required=False, default=Run.Multitask.ENQUEUE)
    webhook = serializers.URLField(max_length=500, required=False, help_text="Gets a signed POST when the run ends.")
    timeout_s = serializers.IntegerField(required=False, min_value=1, max_value=86_400)
    max_cost_micro = serializers.IntegerField(required=False, min_value=1, max_value=10**12)

    def validate(self, data: Data) -> Data:
        if ("message" in data) == ("input" in data):
            raise serializers.ValidationError({"message": "Give either a message or an input."})
        return data


class ResumeInput(serializers.Serializer[Any]):
    answer = serializers.ChoiceField([Interrupt.Answer.APPROVED.value, Interrupt.Answer.REJECTED.value])
    interrupt_id = serializers.UUIDField(required=False, help_text="Needed where more than one waits.")
    args_sha256 = serializers.CharField(max_length=64, help_text="Of what was shown, so that nothing else is approved.")
    given = serializers.DictField(required=False, help_text="A note or a choice for the run.")


class RunAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    thread_id = serializers.UUIDField(allow_null=True)
    workflow = serializers.CharField()
    status = serializers.ChoiceField(Run.Status.choices)
    progress = serializers.CharField()
    current_agent = serializers.CharField()
    steps = serializers.IntegerField()
    waiting_on = serializers.ListField(child=serializers.DictField())
    usage = serializers.DictField()
    output = serializers.JSONField(allow_null=True)
    error = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(allow_null=True)


RUN_EXAMPLE = OpenApiExample(
    "ask", {"message": "Three ideas for the autumn sale?", "multitask_strategy": "enqueue"}, request_only=True
)


def thread_data(thread: Thread) -> Data:
    names = ("id", "title", "assistant_id", "metadata", "created_at", "updated_at", "expires_at")
    return {name: getattr(thread, name) for name in names} | {"status": _status(thread)}


def _status(thread: Thread) -> str:
    newest = thread.runs.order_by("-created_at").values_list("status", flat=True).first()
    if newest in {Run.Status.QUEUED, Run.Status.RUNNING}:
        return "busy"
    if newest == Run.Status.WAITING:
        return "interrupted"
    return "idle" if newest in {None, Run.Status.SUCCEEDED, Run.Status.CANCELED} else "error"


def message_data(message: Message) -> Data:
    return {name: getattr(message, name) for name in ("seq", "role", "text", "citations", "run_id", "created_at")}


class ThreadListView(TenantView, ListView):
    @extend_schema(
        operation_id="threads",
        tags=["threads"],
        summary="Your threads, newest first",
        responses=ThreadAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, threads.visible_threads(self.actor), thread_data)

    @extend_schema(
        operation_id="thread_create",
        tags=["threads"],
        summary="A new thread",
        request=ThreadInput,
        responses={201: ThreadAnswer},
    )
    def post(self, request: Request) -> Response:
        data = valid(ThreadInput(data=request.data))
        key = data.pop("assistant_id", "")
        assistant = get_assistant(self.actor, key) if key else None
        thread = threads.create_thread(by=self.actor, assistant=assistant, **data)
        return Response(thread_data(thread), status=201)


class ThreadView(TenantView):
    @extend_schema(operation_id="thread", tags=["threads"], summary="One thread", responses=ThreadAnswer)
    def get(self, request: Request, thread_id: UUID) -> Response:
        return Response(thread_data(threads.get_thread(self.actor, thread_id)))

    @extend_schema(
        operation_id="thread_update",
        tags=["threads"],
        summary="Rename a thread",
        request=ThreadUpdate,
        responses=ThreadAnswer,
    )
    def patch(self, request: Request, thread_id: UUID) -> Response:
        thread = threads.get_thread(self.actor, thread_id)
        data = valid(ThreadUpdate(data=request.data))
        return Response(thread_data(threads.update_thread(thread, by=self.actor, **data)))

    @extend_schema(
        operation_id="thread_delete",
        tags=["threads"],
        summary="Delete a thread with its runs",
        responses={204: None},
    )
    def delete(self, request: Request, thread_id: UUID) -> Response:
        threads.delete_thread(threads.get_thread(self.actor, thread_id), by=self.actor)
        return Response(status=204)


class ThreadCopyView(TenantView):
    @extend_schema(
        operation_id="thread_copy",
        tags=["threads"],
        summary="Go on from here in a second thread",
        request=None,
        responses={201: ThreadAnswer},
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        copy = threads.copy_thread(threads.get_thread(self.actor, thread_id), by=self.actor)
        return Response(thread_data(copy), status=201)


class After(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)


class MessageListView(TenantView):
    @extend_schema(
        operation_id="thread_messages",
        tags=["threads"],
        summary="What was said, oldest first; at most 200 at once",
        parameters=[OpenApiParameter("after", int, description="Only messages after this seq.")],
        responses=MessageAnswer(many=True),
    )
    def get(self, request: Request, thread_id: UUID) -> Response:
        thread = threads.get_thread(self.actor, thread_id)
        after = valid(After(data=request.query_params))["after"]
        return Response([message_data(row) for row in thread.messages.filter(seq__gt=after)[:200]])


# --- runs -------------------------------------------------------------------------------------------------


class RunStartView(TenantView):
    """Starts in its own transaction; its key is the run's, so a repeated request is the same run."""

    def _claim_key(self, request: Request) -> None:
        """The run itself remembers the Idempotency-Key, for as long as it is kept."""

    def start(self, request: Request, thread_id: UUID) -> Run:
        thread = threads.get_thread(self.actor, thread_id)
        data = valid(RunInput(data=request.data))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > 100:
            raise ValidationError({"Idempotency-Key": "At most 100 characters."})
        options: Data = {
            "multitask": data["multitask_strategy"],
            "webhook_url": data.get("webhook", ""),
            "timeout_s": data.get("timeout_s"),
            "cap_micro": data.get("max_cost_micro"),
            # Keys of two callers are two keys.
            "idem_key": f"{getattr(request.auth, 'pk', None) or request.user.pk}:{key}" if key else "",
        }
        if "assistant_id" in data:
            options["assistant"] = get_assistant(self.actor, data["assistant_id"])
        if "message" in data:
            return threads.post_message(thread, data["message"], by=self.actor, **options)
        return threads.start_thread_run(
            thread, data["input"], by=self.actor, workflow=data.get("workflow", ""), **options
        )


class RunAsyncView(RunStartView):
    @extend_schema(
        operation_id="run_async",
        tags=["threads"],
        summary="Start a run and do not wait for it",
        parameters=[IDEMPOTENCY],
        request=RunInput,
        responses={202: RunAnswer},
        examples=[RUN_EXAMPLE],
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        run = self.start(request, thread_id)
        return Response(run_status(run), status=202, headers={"Location": status_address(run)})


class RunWaitView(RunStartView):
    @extend_schema(
        operation_id="run_wait",
        tags=["threads"],
        summary="Start a run and wait for its end",
        description=f"After {WAIT_S} s, or when the run waits for a person, the answer is 202 with a Location to ask.",
        parameters=[IDEMPOTENCY],
        request=RunInput,
        responses={200: RunAnswer, 202: RunAnswer},
        examples=[RUN_EXAMPLE],
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        run = self.start(request, thread_id)
        # What was written is seen by the worker only after this transaction.
        self._scope.close()
        self._is_inside = False
        status = wait_for_end(run)
        headers = {"Location": status_address(run)}
        return Response(status, status=200 if run.status in Run.ENDED else 202, headers=headers)


def wait_for_end(run: Run, limit_s: float = WAIT_S) -> Data:
    """The run's status once it ended or waits for a person, or when the time is over. Refreshes `run`."""
    deadline = time.monotonic() + limit_s
    while True:
        with workspace_scope(run.workspace_id):
            run.refresh_from_db()
            is_over = run.is_ended or run.status == Run.Status.WAITING or time.monotonic() > deadline
            if is_over:
                return run_status(run)
        connection.close()
        time.sleep(LOOK_S)


def status_address(run: Run) -> str:
    return reverse("agents-api:run-status", args=[run.thread_id, run.pk])


class RunView(TenantView):
    def run_of(self, run_id: UUID, thread_id: UUID | None) -> Run:
        return threads.get_run(self.actor, run_id, thread_id)


class RunStatusView(RunView):
    @extend_schema(operation_id="run_status", tags=["threads"], summary="How a run stands", responses=RunAnswer)
    def get(self, request: Request, run_id: UUID, thread_id: UUID) -> Response:
        return Response(run_status(self.run_of(run_id, thread_id)))


class RunStatusAloneView(RunView):
    @extend_schema(
        operation_id="run_status_alone",
        tags=["threads"],
        summary="How a run stands, also one without a thread",
        responses=RunAnswer,
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(run_status(traces.get_run(self.actor, run_id)))


class RunCancelView(RunView):
    @extend_schema(operation_id="run_cancel", tags=["threads"], summary="Stop a run", request=None, responses=RunAnswer)
    def post(self, request: Request, run_id: UUID, thread_id: UUID | None = None) -> Response:
        return Response(run_status(cancel_run(self.run_of(run_id, thread_id), by=self.actor)))


class RunResumeView(RunView):
    @extend_schema(
        operation_id="run_resume",
        tags=["threads"],
        summary="Answer what a run waits for",
        description="Only a person can: not an API key, not an integrator.",
        request=ResumeInput,
        responses=RunAnswer,
    )
    def post(self, request: Request, run_id: UUID, thread_id: UUID | None = None) -> Response:
        run = self.run_of(run_id, thread_id)
        data = valid(ResumeInput(data=request.data))
        open_ones = run.interrupts.order_by("answer", "-created_at")
        asked = open_ones.filter(pk=data["interrupt_id"]).first() if "interrupt_id" in data else open_ones.first()
        if asked is None:
            raise Http404
        answer_interrupt(asked, data["answer"], given=data.get("given"), by=self.actor, seen_sha256=data["args_sha256"])
        run.refresh_from_db()
        return Response(run_status(run))


class RunStreamView(RunView):
    @extend_schema(
        operation_id="run_stream",
        tags=["threads"],
        summary="A run as server-sent events",
        description=(
            "Events: `step` (id: its number), `text` (id: step.bytes), `status`, and `end` with the final status. "
            "A connection ends after a minute; Last-Event-ID takes the stream up again without loss or repetition."
        ),
        parameters=[OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER)],
        responses={(200, "text/event-stream"): OpenApiResponse(OpenApiTypes.ANY)},
    )
    def get(self, request: Request, run_id: UUID, thread_id: UUID | None = None) -> StreamingHttpResponse:
        self.actor.require(Perm.VIEW)
        run = self.run_of(run_id, thread_id)
        return event_stream(run, request.headers.get("Last-Event-ID", ""))

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """An EventSource accepts nothing but event streams; errors are JSON all the same."""
        return super().perform_content_negotiation(request, force=True)
