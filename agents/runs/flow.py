"""What a workflow runs on: each call is a step, written once. Done ones are answered from their rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F, Max

from accounts.access import Actor, Perm
from accounts.scope import workspace_scope
from accounts.services import emit, notify
from agents.llm.types import Ask, ModelError, Payer, Stop
from agents.models import Effect, Interrupt, Message, Provenance, Run, Step, Thread
from agents.prompts import render
from agents.runs import claims, partial
from agents.runs.caps import campaign_cap
from agents.runs.errors import ClaimLost, OutOfTime, Paused, RunFailed, StepFailed
from agents.runs.identity import actor_of, call_digest, plain
from agents.runs.refusals import as_failure, refusals
from agents.runs.steps import add_step, find_prompt, next_number, pin, prompt_step
from lib.clock import boot_seconds, now
from lib.text import storable

if TYPE_CHECKING:
    from agents.llm.types import Answer
    from agents.runs.tools import ToolSpec

Kind = Step.Kind
# A worker gives a run back after so long: others wait for it, too.
TURN_S = 240
# How soon a worker that streams finds out that its run was canceled.
LOOK_S = 2.0
APPROVAL_S = 3 * 24 * 3600
Do = Callable[[], Any]


class Flow:
    """One claim of a run. Its calls raise ClaimLost once another worker, or an end, has come in between."""

    def __init__(self, run: Run, by: Actor) -> None:
        self.run, self.by = run, by
        self.done = {step.key: step for step in run.steps.all()}
        self._unread, self._used = set(self.done), set[str]()
        self._failed: dict[str, Any] | None = None
        self._prompts: dict[str, str] = {}
        self._turn_ends = boot_seconds() + TURN_S
        self._said = 0

    @property
    def input(self) -> Any:
        return self.run.input

    @property
    def is_replaying(self) -> bool:
        """Whether steps of an earlier claim are still to be read."""
        return bool(self._unread)

    def scope(self) -> AbstractContextManager[None]:
        """For reading the workspace's rows between and inside steps: a short transaction."""
        return workspace_scope(self.run.workspace_id)

    # --- calls --------------------------------------------------------------------------------------------

    def step(self, key: str, do: Do, *, kind: str = Kind.PLAIN, agent: str = "", input: Any = None) -> Any:
        """What `do` answers, as JSON. It runs outside any transaction (see `scope`), and again after a kill."""
        if (step := self._recall(key)) is not None:
            return step.output
        self._begin()
        started = now()
        with claims.lease_kept(self.run):
            output = plain(do())
        with self._writing():
            self._write(key, kind, started, agent=agent, input=input, output=output)
        return output

    def ask(self, key: str, ask: Ask, *, agent: str = "", is_streamed: bool = False) -> dict[str, Any]:
        """A model's answer: text, data, tool_calls, stop, model, provider, cost_micro, is_sandbox.

        Raises ModelError, also where the model declines. Caught, it is written down like an answer.
        """
        if (step := self._recall(key)) is not None:
            return dict(step.output or {})
        self._begin()
        sent, started = plain(asdict(ask)), now()
        partial.begin_partial(self.run.pk, self.run.step_count + 1, agent=agent)
        try:
            answer = self._call(key, ask, is_streamed)
            if answer.stop is Stop.REFUSAL:
                raise ModelError("refused", "The model declined to answer this.", raw=answer.text[:500])
        except ModelError as error:
            self._note_failure(key, Kind.LLM, started, error, agent=agent, input=sent)
            raise
        output = as_json(answer)
        used = {"input_tokens": answer.usage.input, "output_tokens": answer.usage.output}
        with self._writing():
            self._write(
                key,
                Kind.LLM,
                started,
                agent=agent,
                input=sent,
                output=output,
                model=answer.model[:80],
                cost_micro=answer.cost_micro,
                prompt_sha256=self._prompt_sha(ask.system),
                **used,
            )
        return output

    def act(
        self,
        key: str,
        *,
        tool: str,
        args: Mapping[str, Any],
        do: Do,
        approval: str = "",
        effect_key: str = "",
        agent: str = "",
    ) -> Any:
        """An effect in our own rows: `do` and its step are one transaction, so it happens once. No calls outside in it.

        `approval` names the `approve` that must have said yes to exactly this tool and these arguments. `effect_key`
        is the run's own unless given; a key that was used answers what came of it then. Raises StepFailed.
        """
        bound = call_digest(tool, args)
        if (step := self._recall(key, bound)) is not None:
            return step.output
        self._begin()
        sent, started = {"tool": tool, "args": args}, now()
        try:
            with self._writing():
                if approval:
                    self._check_approval(approval, bound)
                output = self._effect(effect_key or f"{self.run.pk}:{key}", tool, bound, do)
                self._write(key, Kind.TOOL, started, agent=agent, input=sent, output=output, input_sha256=bound)
        except refusals() as error:
            failure = as_failure(error)
            self._note_failure(key, Kind.TOOL, started, failure, agent=agent, input=sent, input_sha256=bound)
            raise failure from error
        return output

    def approve(
        self,
        key: str,
        *,
        action: str,
        args: Mapping[str, Any],
        reason: str = "",
        perm: Perm = Perm.REVIEW,
        expires_s: float = APPROVAL_S,
        may_expire: bool = False,
    ) -> dict[str, Any]:
        """Pauses until a person answers: {"answer": "approved" | "rejected", "given": {…}, "by": "…"}.

        Nobody answered in time: RunFailed("expired"), or with `may_expire` the answer "expired".
        """
        bound = call_digest(action, args)
        if (step := self._recall(key, bound)) is not None:
            return _answered(step.output, may_expire)
        self._begin()
        with self._held():
            asked = Interrupt.objects.filter(run=self.run, key=key).first()
            if asked is None:
                asked = self._interrupt(key, action, args, bound, reason, perm, expires_s)
            if asked.args_sha256 != bound:
                raise RunFailed("changed", "What was to be approved is not what would be done now.")
            if not asked.answer:
                self._wait(asked)
                output = None
            else:
                output = {"answer": asked.answer, "given": asked.given, "by": asked.answered_label}
                sent = {"action": action, "args": args}
                self._count()
                self._write(key, Kind.APPROVAL, asked.created_at, input=sent, output=output, input_sha256=bound)
        if output is None:
            raise Paused
        return _answered(output, may_expire)

    def prompt(self, key: str, **variables: Any) -> str:
        """The assistant's production prompt, filled in. The version is the same for the whole run."""
        pinned = self._pinned(key)
        text = render(pinned["body"], variables)
        self._prompts[text] = pinned["sha256"]
        return str(text)

    def agent(self, key: str, ask: Ask, *, tools: "Mapping[str, ToolSpec]", **options: Any) -> dict[str, Any]:
        """Let a model work with tools; see agents.runs.tools.run_agent."""
        from agents.runs.tools import run_agent

        return run_agent(self, key, ask, tools=tools, **options)

    def say(
        self, text: str, citations: Sequence[Mapping[str, Any]] = (), *, provenance: str = Provenance.TRUSTED
    ) -> None:
        """The assistant's message in the thread, once; in a run without a thread only the step."""
        self._said += 1
        key = f"say {self._said}"
        if self._recall(key) is not None:
            return
        self._begin()
        started, cited = now(), plain(list(citations))
        with self._writing():
            if self.run.thread_id:
                self._add_message(storable(text), cited, provenance)
            self._write(key, Kind.PLAIN, started, input={"text": text, "citations": cited}, output=None)

    def report(self, text: str) -> None:
        """What people see while it works: "Writing for X"."""
        if self.is_replaying or text == self.run.progress:
            return
        self.run.progress = text[:120]
        with self._held(progress=self.run.progress):
            pass

    # --- what is done already -----------------------------------------------------------------------------

    def _recall(self, key: str, bound: str = "") -> Step | None:
        """The step of an earlier claim. `bound`: the digest of what must be the same as then."""
        if key in self._used:
            raise RunFailed("duplicate_key", f"The workflow has two steps called {key}.")
        self._used.add(key)
        self._unread.discard(key)
        step = self.done.get(key)
        if step is None:
            return None
        if bound and step.input_sha256 != bound:
            raise RunFailed("changed", f"The step {key} was done with other arguments than it is asked for now.")
        if step.error:
            raise _raised_before(step)
        return step

    # --- writing ------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Before anything new: is there time? Raises Stop."""
        if self.run.deadline_at and now() >= self.run.deadline_at:
            raise OutOfTime
        if boot_seconds() > self._turn_ends:
            self._yield()
        if self._failed:
            failed, self._failed = self._failed, None
            with self._writing():
                self._write(**failed)

    def _yield(self) -> None:
        with self._held(status=Run.Status.QUEUED, lease_until=None, wake_at=now()):
            self.run.status = Run.Status.QUEUED
        raise Paused

    @contextmanager
    def _held(self, **changes: Any) -> Iterator[None]:
        """The run in our hands, with its person's rights read afresh: for what happens inside, and for the next call.

        Raises ClaimLost or PermissionDenied.
        """
        with claims.held(self.run, **changes):
            self.by = actor_of(self.run)
            yield

    def _writing(self) -> AbstractContextManager[None]:
        """For exactly one `_write`."""
        return self._held(step_count=next_number(self.run), strikes=0)

    def _count(self) -> None:
        Run.objects.filter(pk=self.run.pk).update(step_count=next_number(self.run), strikes=0)

    def _write(self, key: str, kind: str, started: datetime, **fields: Any) -> None:
        """Expects `_writing`."""
        self.done[key] = add_step(self.run, key, kind, started, **fields)

    def _note_failure(
        self, key: str, kind: str, started: datetime, error: ModelError | RunFailed, **fields: Any
    ) -> None:
        """Written with the next step: only if the workflow goes on has the failure decided anything."""
        told = {"code": error.code, "message": error.text, "is_retryable": error.is_retryable}
        self._failed = {"key": key, "kind": kind, "started": started, "error": told, **fields}

    # --- parts --------------------------------------------------------------------------------------------

    def _call(self, key: str, ask: Ask, is_streamed: bool) -> "Answer":
        from agents import llm

        run = self.run
        with self.scope():
            campaign_cap_micro = campaign_cap(run.campaign_id)
        payer = Payer(
            workspace=run.workspace,
            key=f"{run.pk}:{key}",
            run_id=run.pk,
            run_cap_micro=run.cap_micro,
            campaign_id=run.campaign_id,
            campaign_cap_micro=campaign_cap_micro,
            step_key=key,
        )
        if not is_streamed:
            with claims.lease_kept(run):
                return llm.complete(ask, payer=payer)
        with claims.lease_kept(run, look_every_s=LOOK_S) as lost:
            return llm.stream(ask, payer=payer, on_text=self._listener(lost))

    def _listener(self, lost: Event) -> Callable[[str], None]:
        run_id, n = self.run.pk, self.run.step_count + 1

        def hear(text: str) -> None:
            if lost.is_set():
                # Ends the call: nobody wants the rest any more.
                raise ClaimLost
            partial.append_partial(run_id, n, text)

        return hear

    def _effect(self, key: str, tool: str, bound: str, do: Do) -> Any:
        if self.run.replay_of:
            return {"skipped": "replay"}
        row = Effect(workspace_id=self.run.workspace_id, key=key, run=self.run, tool=tool, args_sha256=bound)
        Effect.objects.bulk_create([row], ignore_conflicts=True)
        # A row of somebody faster has another id.
        known = Effect.objects.get(key=key)
        if known.pk != row.pk:
            if known.args_sha256 != bound:
                raise StepFailed("effect_reused", "This was already done, with other arguments.")
            return known.result
        result = plain(do())
        Effect.objects.filter(pk=row.pk).update(result=result)
        return result

    def _check_approval(self, key: str, bound: str) -> None:
        """From the table and not from memory: the row is what a person answered."""
        said_yes = Interrupt.objects.filter(
            run=self.run, key=key, answer=Interrupt.Answer.APPROVED, args_sha256=bound
        ).exists()
        if not said_yes:
            raise StepFailed("not_approved", "Nobody has approved exactly this.")

    def _interrupt(
        self, key: str, action: str, args: Mapping[str, Any], bound: str, reason: str, perm: Perm, expires_s: float
    ) -> Interrupt:
        row = Interrupt.objects.create(
            workspace_id=self.run.workspace_id,
            run=self.run,
            key=key,
            action=action,
            args=plain(args),
            args_sha256=bound,
            reason=storable(reason)[:300],
            perm=perm,
            expires_at=now() + timedelta(seconds=expires_s),
        )
        text = f"The assistant asks for your approval: {row.reason or action}"
        notify(self.run.workspace, "run.waiting", text, path=f"/runs/{self.run.pk}", perm=perm)
        emit(self.run.workspace, "run.waiting", run=str(self.run.pk), interrupt=str(row.pk), action=action)
        return row

    def _wait(self, asked: Interrupt) -> None:
        self.run.status = Run.Status.WAITING
        Run.objects.filter(pk=self.run.pk).update(
            status=self.run.status,
            lease_until=None,
            strikes=0,
            progress=(asked.reason or asked.action)[:120],
            # The time that a person takes is not the run's.
            deadline_at=F("deadline_at") + (asked.expires_at - now()),
        )

    def _pinned(self, key: str) -> dict[str, Any]:
        name = prompt_step(key)
        if name in self._used:
            return dict(self.done[name].output or {})
        return dict(self.step(name, lambda: self._read_prompt(key), input={"prompt": key}))

    def _read_prompt(self, key: str) -> dict[str, Any]:
        with self.scope():
            found = find_prompt(self.run.workspace, key)
        if found is None:
            raise RunFailed("no_prompt", f"There is no prompt “{key}”.")
        return pin(found)

    def _prompt_sha(self, system: str) -> str:
        return next((sha for text, sha in self._prompts.items() if text in system), "")

    def _add_message(self, text: str, citations: Any, provenance: str) -> None:
        threads = Thread.objects.filter(runs=self.run)
        thread = threads.select_for_update(no_key=True, of=("self",)).get()
        last = Message.objects.filter(thread=thread).aggregate(last=Max("seq"))["last"] or 0
        seq = max(thread.last_seq, last) + 1
        threads.update(last_seq=seq, updated_at=now())
        Message.objects.create(
            workspace_id=self.run.workspace_id,
            thread=thread,
            seq=seq,
            role=Message.Role.ASSISTANT,
            text=text,
            provenance=provenance,
            run=self.run,
            citations=citations,
        )


def deadline_in(timeout_s: float | None) -> datetime:
    return now() + timedelta(seconds=settings.RUN_TIMEOUT_S if timeout_s is None else timeout_s)


def as_json(answer: "Answer") -> dict[str, Any]:
    names = ("text", "data", "stop", "model", "provider", "cost_micro", "is_sandbox")
    found = {name: getattr(answer, name) for name in names}
    return dict(plain(found | {"tool_calls": [asdict(call) for call in answer.tool_calls]}))


def _raised_before(step: Step) -> Exception:
    error = step.error or {}
    if step.kind == Kind.LLM:
        return ModelError(error["code"], error["message"])
    return StepFailed(error["code"], error["message"])


def _answered(output: Any, may_expire: bool) -> dict[str, Any]:
    if output["answer"] == Interrupt.Answer.EXPIRED and not may_expire:
        raise RunFailed("expired", "Nobody answered in time.")
    return dict(output)
