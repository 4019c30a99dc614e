"""What clients ask for, answered from the registry and the rows of whoever calls."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from integrations.mcp import calls, limits
from integrations.mcp.auth import Caller, ServerToken
from integrations.mcp.calls import Unknown
from integrations.mcp.errors import CallFailed, Failure, failure_of
from integrations.mcp.limits import TOO_LONG, Deadline, Places
from integrations.mcp.registry import PromptDef, Registry, ResourceDef, ToolDef
from integrations.mcp.threads import CALLS, look, start
from integrations.mcp.wire import (
    INVALID,
    contents_out,
    done_out,
    failed_out,
    prompt_out,
    refusal,
    resource_out,
    template_out,
    tool_out,
)
from lib.text import storable

Context = ServerRequestContext[Any, Any]
T = TypeVar("T")
# Their limits are taken by the call itself.
CALL_METHODS = {"tools/call", "resources/read", "prompts/get"}
COMPLETIONS = 100


def caller_of(context: Context) -> Caller:
    assert context.request is not None, "always over HTTP"
    user: AuthenticatedUser = context.request.scope["user"]
    assert isinstance(user.access_token, ServerToken), "our own verifier"
    return user.access_token.caller


async def within_time(work: Callable[..., T], *args: Any) -> T | Failure:
    """Run `work(*args, deadline)` in a thread. Past the deadline it is left alone, and rolls back at its end."""
    deadline = Deadline()
    running = start(CALLS, work, *args, deadline)
    await asyncio.wait([running], timeout=deadline.left_s)
    if not running.done() and deadline.gives_up():
        return TOO_LONG
    return await running


async def converse(caller: Caller, name: str, talk: Callable[[], Awaitable[Any]], has_effect: bool = False) -> Any:
    """What speaks with the client on the way is counted where it ends: a question back is no end. Raises CallFailed."""
    if refused := await look(calls.begin_talk, caller):
        raise CallFailed(refused)
    started, result = time.monotonic(), None
    try:
        result = await talk()
    finally:
        if not isinstance(result, types.InputRequiredResult):
            failed = result is None or bool(getattr(result, "is_error", False))
            await look(calls.end_talk, caller, name, started, failed=failed, has_effect=has_effect)
    return result


class Handlers:
    """The protocol's questions, answered from the registry for whoever calls."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.places = registry, Places()

    async def list_tools(self, context: Context, _params: Any) -> types.ListToolsResult:
        caller = caller_of(context)
        found = self.registry.tools_for(caller.server, caller.actor)
        return types.ListToolsResult(tools=[tool_out(one) for one in found])

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        caller = caller_of(context)
        tool = _named(self.registry.tools_for(caller.server, caller.actor), params.name)
        if tool is None:
            await count_call(caller)
            raise MCPError(INVALID, f"Unknown tool: {_quoted(params.name)}")
        if tool.talk is not None:
            talk = partial(tool.talk, context, params)
            said = await self._placed(caller, lambda: converse(caller, tool.name, talk, tool.has_effect))
            return failed_out(said) if isinstance(said, Failure) else said
        args = params.arguments or {}
        result = await self._placed(caller, lambda: within_time(calls.call_tool, caller, tool, args))
        return failed_out(result) if isinstance(result, Failure) else done_out(result)

    async def list_resources(self, context: Context, _params: Any) -> types.ListResourcesResult:
        found = [resource_out(one) for one in self._resources(context) if not one.is_template]
        return types.ListResourcesResult(resources=found)

    async def list_templates(self, context: Context, _params: Any) -> types.ListResourceTemplatesResult:
        found = [template_out(one) for one in self._resources(context) if one.is_template]
        return types.ListResourceTemplatesResult(resource_templates=found)

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult | types.InputRequiredResult:
        caller, uri = caller_of(context), str(params.uri)
        missing = MCPError(INVALID, "Resource not found", {"uri": _quoted(uri)})
        found = _at(self._resources(context), uri)
        if found is None:
            await count_call(caller)
            raise missing
        try:
            content: str | bytes = await self._granted(caller, lambda: within_time(calls.read_resource, caller, *found))
        except Unknown:
            raise missing from None
        return types.ReadResourceResult(contents=[contents_out(uri, found[0].mime, content)])

    async def list_prompts(self, context: Context, _params: Any) -> types.ListPromptsResult:
        caller = caller_of(context)
        found = self.registry.prompts_for(caller.server, caller.actor)
        return types.ListPromptsResult(prompts=[prompt_out(one) for one in found])

    async def get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult | types.InputRequiredResult:
        caller = caller_of(context)
        prompt = _named(self.registry.prompts_for(caller.server, caller.actor), params.name)
        if prompt is None:
            await count_call(caller)
            raise MCPError(INVALID, f"Unknown prompt: {_quoted(params.name)}")
        if prompt.talk is not None:
            talk = partial(prompt.talk, context, params)
            return await self._granted(caller, lambda: converse(caller, f"prompt:{prompt.name}", talk))
        args = params.arguments or {}
        said = await self._granted(caller, lambda: within_time(calls.get_prompt, caller, prompt, args))
        messages = [types.PromptMessage.model_validate(one) for one in said]
        return types.GetPromptResult(description=prompt.description, messages=messages)

    async def complete(self, context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        caller, argument = caller_of(context), params.argument
        definition = self._completed(caller, params.ref)
        if definition is None:
            raise MCPError(INVALID, "Unknown prompt or resource template.")
        typed = storable(argument.value)
        values = await self._granted(
            caller, lambda: within_time(calls.complete, caller, definition, argument.name, typed)
        )
        found = types.Completion(values=values[:COMPLETIONS], total=len(values), has_more=len(values) > COMPLETIONS)
        return types.CompleteResult(completion=found)

    async def _placed(self, caller: Caller, act: Callable[[], Awaitable[T | Failure]]) -> T | Failure:
        """Only while its server has a place free."""
        try:
            with self.places.one(caller.server):
                return await act()
        except CallFailed as refused:
            return refused.failure

    async def _granted(self, caller: Caller, act: Callable[[], Awaitable[T | Failure]]) -> T:
        """The same where no result can say that it failed. Raises MCPError."""
        result = await self._placed(caller, act)
        if isinstance(result, Failure):
            raise refusal(result)
        return result

    def _resources(self, context: Context) -> list[ResourceDef]:
        caller = caller_of(context)
        return self.registry.resources_for(caller.server, caller.actor)

    def _completed(self, caller: Caller, ref: Any) -> PromptDef | ResourceDef | None:
        if isinstance(ref, types.PromptReference):
            return _named(self.registry.prompts_for(caller.server, caller.actor), ref.name)
        offered = self.registry.resources_for(caller.server, caller.actor)
        return next((one for one in offered if one.uri == ref.uri), None)


D = TypeVar("D", ToolDef, PromptDef)


def _named(offered: Iterable[D], name: str) -> D | None:
    return next((one for one in offered if one.name == name), None)


def _at(offered: Iterable[ResourceDef], uri: str) -> tuple[ResourceDef, dict[str, str]] | None:
    # What has this very address comes before a template that would match it, too.
    for resource in sorted(offered, key=lambda one: one.is_template):
        params = resource.match(uri)
        if params is not None and all(storable(value) == value for value in params.values()):
            return resource, params
    return None


def _quoted(name: str) -> str:
    return storable(name[:200])


# --- limits and refusals --------------------------------------------------------------------------------------


def _count(take: Callable[[Any], None], caller: Caller) -> None:
    """Raises MCPError."""
    try:
        take(caller.server)
    except Exception as error:
        raise refusal(failure_of(error)) from None


async def count_call(caller: Caller) -> None:
    """Asking for what is not there costs as much as a call. Raises MCPError."""
    await look(_count, limits.take_call, caller)


async def count_questions(context: Context, call_next: CallNext) -> HandlerResult:
    """Middleware: what is no call is held back by a limit of its own."""
    if context.request_id is not None and context.method not in CALL_METHODS:
        await look(_count, limits.take_question, caller_of(context))
    return await call_next(context)


async def sign_with_its_name(context: Context, call_next: CallNext) -> HandlerResult:
    """Middleware: a personal server introduces itself by the name that its person gave it."""
    result = await call_next(context)
    if context.method == "initialize" and isinstance(result, dict):
        result["serverInfo"] = {**result["serverInfo"], "title": caller_of(context).server.name}
    if context.method == "server/discover" and isinstance(result, dict):
        meta = dict(result.get("_meta") or {})
        info = meta.get(types.SERVER_INFO_META_KEY) or {}
        meta[types.SERVER_INFO_META_KEY] = {**info, "title": caller_of(context).server.name}
        result["_meta"] = meta
    return result
