"""/v1/messages: one call to a model, in the shapes that Anthropic's and OpenAI's clients know.

The workspace's budget, breakers and ledger hold as everywhere; nothing is published, nothing is kept.
"""

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from django.db import connection
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, valid
from accounts.rest import TenantView, Unprocessable
from accounts.scope import workspace_scope
from agents import llm
from agents.budgets import totals
from agents.llm import catalogue
from agents.llm.schemas import danger
from agents.llm.types import Answer, Ask, ModelError, Payer, Said, Stop
from lib.ids import uuid7

ROLES = ("chat", "writer", "strategist", "compliance", "product", "sentiment", "memory")
MAX_TEXT = 200_000
MAX_SCHEMA = 20_000
DEADLINE_S = 55
# What a caller may learn of a failed call, by our codes.
STATUS = {
    "over_budget": 402,
    "rate_limited": 429,
    "too_long": 413,
    "bad_request": 422,
    "bad_output": 422,
    "timeout": 504,
}
STOP_REASON = {Stop.END: "end_turn", Stop.LENGTH: "max_tokens", Stop.TOOL: "tool_use", Stop.REFUSAL: "refusal"}


def check_model(name: str) -> None:
    if name not in ROLES and name not in catalogue.current().models:
        raise serializers.ValidationError(f"Neither a role ({', '.join(ROLES)}) nor a model that is known here.")


class Turn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["user", "assistant"])
    content = serializers.JSONField(help_text="A string, or a list of text blocks.")

    def validate_content(self, value: Any) -> str:
        blocks = [{"type": "text", "text": value}] if isinstance(value, str) else value
        if not isinstance(blocks, list) or not blocks:
            raise serializers.ValidationError("Give a text, or a list of text blocks.")
        said = [block.get("text") if isinstance(block, dict) else None for block in blocks]
        texts = [text for text in said if isinstance(text, str)]
        if len(texts) < len(blocks):
            raise serializers.ValidationError("Only blocks of text are taken here.")
        return "\n".join(texts)


class MessagesInput(serializers.Serializer[Any]):
    messages = Turn(many=True, allow_empty=False)
    system = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    max_tokens = serializers.IntegerField(required=False, default=1024, min_value=16, max_value=32_000)
    model = serializers.CharField(
        required=False,
        max_length=80,
        validators=[check_model],
        help_text="A role of the catalogue (writer, chat …) or one of its models.",
    )
    stream = serializers.BooleanField(required=False, default=False)

    def validate_messages(self, turns: list[Data]) -> list[Data]:
        if turns[-1]["role"] != "user":
            raise serializers.ValidationError("The last message is the user's.")
        if sum(len(turn["content"]) for turn in turns) > MAX_TEXT:
            raise serializers.ValidationError(f"At most {MAX_TEXT:,} characters together.")
        return turns


class ResponsesInput(serializers.Serializer[Any]):
    input = serializers.JSONField(help_text="A string, or a list of messages.")
    instructions = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    max_output_tokens = serializers.IntegerField(required=False, default=1024, min_value=16, max_value=32_000)
    model = serializers.CharField(required=False, max_length=80, validators=[check_model])

    def validate_input(self, value: Any) -> list[Data]:
        turns = [{"role": "user", "content": value}] if isinstance(value, str) else value
        if not isinstance(turns, list):
            raise serializers.ValidationError("Give a text or a list of messages.")
        return list(valid(MessagesInput(data={"messages": [_plain(turn) for turn in turns]}))["messages"])


class StructuredInput(ResponsesInput):
    schema = serializers.DictField(help_text="JSON Schema of the answer.")

    def validate_schema(self, schema: Data) -> Data:
        if len(json.dumps(schema)) > MAX_SCHEMA:
            raise serializers.ValidationError(f"At most {MAX_SCHEMA:,} characters.")
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            problem = danger(schema)
        except jsonschema.SchemaError as error:
            raise serializers.ValidationError(f"This is no JSON Schema: {error.message[:200]}") from error
        except RecursionError as error:
            raise serializers.ValidationError("This schema is nested too deeply.") from error
        if problem:
            raise serializers.ValidationError(problem)
        return schema


class MessagesAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.CharField()
    role = serializers.CharField()
    model = serializers.CharField()
    content = serializers.ListField(child=serializers.DictField())
    stop_reason = serializers.CharField()
    usage = serializers.DictField()
    sandbox = serializers.BooleanField(help_text="Answered by the sandbox's model.")


class ResponsesAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    object = serializers.CharField()
    status = serializers.CharField()
    model = serializers.CharField()
    output = serializers.ListField(child=serializers.DictField())
    output_text = serializers.CharField()
    usage = serializers.DictField()
    sandbox = serializers.BooleanField()


class StructuredAnswer(ResponsesAnswer):
    output_parsed = serializers.JSONField(help_text="Fits the schema.")


def _plain(turn: Any) -> Any:
    """A message of OpenAI's shape as one of ours: its blocks of text are called differently."""
    if not isinstance(turn, dict):
        return turn
    content = turn.get("content")
    if isinstance(content, list):
        content = [{"text": block.get("text")} if isinstance(block, dict) else block for block in content]
    return {"role": turn.get("role"), "content": content}


class ModelView(TenantView):
    """Waits for a model: outside of any transaction."""

    problems = (402, 413, 502, 504)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor.require(Perm.CONTENT_EDIT)
        self._scope.close()
        self._is_inside = False

    def _claim_key(self, request: Request) -> None:
        """An answer of a model is no change: asked again, it is another answer."""

    def ask(self, data: Data, turns: list[Data], system: str, most: int, schema: Any = None) -> Ask:
        model = data.get("model", "")
        return Ask(
            role=model if model in ROLES else "chat",
            system=system,
            messages=tuple(Said(turn["role"], turn["content"]) for turn in turns),
            max_output=most,
            schema=schema,
            models=() if model in ROLES or not model else (model,),
        )

    def call(self, ask: Ask) -> Answer:
        try:
            return llm.complete(ask, payer=self.payer(), deadline_s=DEADLINE_S)
        except ModelError as error:
            raise ModelProblem(error) from error

    def payer(self) -> Payer:
        return Payer(workspace=self.actor.workspace, key=f"direct:{uuid7()}", step_key="direct")

    def answered(self, data: Data) -> Response:
        with workspace_scope(self.actor.workspace.pk):
            left = [total.left_micro for total in totals(self.actor.workspace) if total.left_micro is not None]
        return Response(data, headers={"X-Budget-Remaining": str(min(left))} if left else {})


class ModelProblem(exceptions.APIException):
    def __init__(self, error: ModelError) -> None:
        self.status_code = STATUS.get(error.code, 502)
        super().__init__(error.text, "schema_violation" if error.code == "bad_output" else error.code)
        if error.retry_after_s:
            self.wait = error.retry_after_s


class MessagesView(ModelView):
    @extend_schema(
        operation_id="messages",
        tags=["messages"],
        summary="One answer of a model, as Anthropic's API has it",
        request=MessagesInput,
        responses={
            200: MessagesAnswer,
            (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.ANY),
        },
        examples=[
            OpenApiExample(
                "draft",
                {"model": "writer", "messages": [{"role": "user", "content": "A post about our autumn roast"}]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response | StreamingHttpResponse:
        data = valid(MessagesInput(data=request.data))
        ask = self.ask(data, data["messages"], data.get("system", ""), data["max_tokens"])
        if data["stream"]:
            return StreamingHttpResponse(
                _streamed(ask, self.payer()), content_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
            )
        return self.answered(messages_data(self.call(ask)))


class ResponsesView(ModelView):
    @extend_schema(
        operation_id="responses",
        tags=["messages"],
        summary="One answer of a model, as OpenAI's Responses API has it",
        request=ResponsesInput,
        responses=ResponsesAnswer,
    )
    def post(self, request: Request) -> Response:
        data = valid(ResponsesInput(data=request.data))
        ask = self.ask(data, data["input"], data.get("instructions", ""), data["max_output_tokens"])
        return self.answered(responses_data(self.call(ask)))


class StructuredView(ModelView):
    @extend_schema(
        operation_id="responses_structured",
        tags=["messages"],
        summary="An answer that fits a JSON Schema",
        description="A model that misses the schema is asked once more; after that: 422 schema_violation.",
        request=StructuredInput,
        responses=StructuredAnswer,
    )
    def post(self, request: Request) -> Response:
        data = valid(StructuredInput(data=request.data))
        ask = self.ask(data, data["input"], data.get("instructions", ""), data["max_output_tokens"], data["schema"])
        answer = self.call(ask)
        if answer.stop == Stop.REFUSAL:
            raise Unprocessable("The model declined to answer this.", "refused")
        return self.answered(responses_data(answer) | {"output_parsed": answer.data})


# --- shapes -----------------------------------------------------------------------------------------------


def messages_data(answer: Answer) -> Data:
    used = answer.usage
    return {
        "id": f"msg_{uuid7().hex}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [{"type": "text", "text": answer.text}],
        "stop_reason": STOP_REASON[answer.stop],
        "stop_sequence": None,
        "usage": {
            "input_tokens": used.input - used.cached - used.cache_write,
            "cache_read_input_tokens": used.cached,
            "cache_creation_input_tokens": used.cache_write,
            "output_tokens": used.output,
            "cost_micro": answer.cost_micro,
        },
        "sandbox": answer.is_sandbox,
    }


def responses_data(answer: Answer) -> Data:
    used = answer.usage
    text = answer.text if answer.data is None else json.dumps(answer.data, ensure_ascii=False)
    content = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": f"resp_{uuid7().hex}",
        "object": "response",
        "status": "incomplete" if answer.stop == Stop.LENGTH else "completed",
        "model": answer.model,
        "output": [{"type": "message", "role": "assistant", "status": "completed", "content": [content]}],
        "output_text": text,
        "usage": {
            "input_tokens": used.input,
            "input_tokens_details": {"cached_tokens": used.cached},
            "output_tokens": used.output,
            "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.input + used.output,
            "cost_micro": answer.cost_micro,
        },
        "sandbox": answer.is_sandbox,
    }


# --- streaming --------------------------------------------------------------------------------------------


def _streamed(ask: Ask, payer: Payer) -> Iterator[bytes]:
    """Anthropic's events. The call runs beside, since the port hands out text by calling back."""
    pieces: queue.Queue[tuple[str, Any]] = queue.Queue()

    def run() -> None:
        try:
            pieces.put(("done", llm.stream(ask, payer=payer, on_text=lambda text: pieces.put(("text", text)))))
        except ModelError as error:
            pieces.put(("failed", error))
        except Exception as error:
            # The reader waits for a last word; what went wrong is for the log.
            pieces.put(("failed", ModelError("server_error", "Something went wrong on our side.")))
            raise error
        finally:
            connection.close()

    threading.Thread(target=run, name="stream", daemon=True).start()
    shell: Data = {
        "id": f"msg_{uuid7().hex}",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
    }
    yield _event("message_start", {"message": shell})
    yield _event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
    while True:
        try:
            kind, value = pieces.get(timeout=10)
        except queue.Empty:
            yield _event("ping", {})
            continue
        if kind == "text":
            yield _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": value}})
            continue
        if kind == "failed":
            yield _event("error", {"error": {"type": value.code, "message": value.text}})
            return
        done = messages_data(value)
        yield _event("content_block_stop", {"index": 0})
        delta = {"stop_reason": done["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", {"delta": delta, "usage": done["usage"], "model": done["model"]})
        yield _event("message_stop", {})
        return


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, ensure_ascii=False)}\n\n".encode()
