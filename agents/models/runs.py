"""Threads, runs and their steps. A step is written once; a run is resumed after its last one."""

from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.tenancy import TenantForeignKey, TenantModel
from agents.models.prompts import Assistant, PromptVersion
from lib.clock import now


class Provenance(models.TextChoices):
    """Who a text comes from: it decides what the text may ever do."""

    # Ours: prompts, results of our own services.
    TRUSTED = "trusted", "Ours"
    # A member of the workspace.
    MEMBER = "member", "Member"
    # Anybody else: mentions, comments, web pages, uploads of others.
    UNTRUSTED = "untrusted", "Somebody else"


class Thread(TenantModel):
    """A conversation, or the frame of a single run."""

    assistant = TenantForeignKey(Assistant, null=True, on_delete=models.SET_NULL, related_name="threads")
    # Whose it is; without a person, an integrator's.
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=120, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    last_seq = models.PositiveIntegerField(default=0)
    # Messages up to this one stand in the summary.
    summary = models.TextField(blank=True)
    summary_seq = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["workspace", "user", "-updated_at"], name="thread_list")]

    def __str__(self) -> str:
        return self.title or "Untitled thread"


# Of a run that has not ended; for the index, which stands inside the class.
OPEN_STATUSES = ["queued", "running", "waiting"]


class Run(TenantModel):
    """One execution of a workflow."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        # For a person's answer.
        WAITING = "waiting", "Waiting for approval"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        TIMED_OUT = "timed_out", "Timed out"
        OVER_BUDGET = "over_budget", "Stopped by the budget"

    class Multitask(models.TextChoices):
        REJECT = "reject", "Refuse"
        ENQUEUE = "enqueue", "Wait"
        INTERRUPT = "interrupt", "Stop the other"
        ROLLBACK = "rollback", "Undo the other"

    OPEN = (Status.QUEUED, Status.RUNNING, Status.WAITING)
    ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED, Status.TIMED_OUT, Status.OVER_BUDGET)

    thread = TenantForeignKey(Thread, null=True, on_delete=models.CASCADE, related_name="runs")
    parent = TenantForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    assistant = TenantForeignKey(Assistant, null=True, on_delete=models.SET_NULL, related_name="runs")
    # Pinned when it starts: a later edit does not reach it.
    prompt_version = TenantForeignKey(PromptVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    workflow = models.CharField(max_length=40)
    input = models.JSONField(default=dict)
    output = models.JSONField(null=True)
    # {"code", "message", "is_retryable"}
    error = models.JSONField(null=True)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.QUEUED)
    multitask = models.CharField(max_length=9, choices=Multitask.choices, default=Multitask.ENQUEUE)
    # In whose name it acts: with this person's rights as they are when a step runs, cut down to a key's.
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    api_key_id = models.UUIDField(null=True)
    started_by = models.CharField(max_length=120, blank=True)
    # Rows of higher floors, by id only.
    campaign_id = models.UUIDField(null=True)
    cap_micro = models.PositiveBigIntegerField(null=True)
    # What it is doing, for people: "Writing for X".
    progress = models.CharField(max_length=120, blank=True)
    idem_key = models.CharField(max_length=200, blank=True)
    webhook_url = models.URLField(max_length=500, blank=True)
    webhook_sent_at = models.DateTimeField(null=True)
    # Fencing: raised by every claim; a worker writes only while it is still its own.
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Claims that ended without progress; too many end the run.
    strikes = models.PositiveSmallIntegerField(default=0)
    step_count = models.PositiveIntegerField(default=0)
    wake_at = models.DateTimeField(default=now)
    deadline_at = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    # OpenTelemetry's id of the trace, 32 hex digits.
    trace_id = models.CharField(max_length=32)
    # A recorded run played again with another prompt; it has no effects.
    replay_of = models.UUIDField(null=True)
    # By evaluators, and to a collector of traces.
    scored_at = models.DateTimeField(null=True)
    exported_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "idem_key"], condition=~Q(idem_key=""), name="run_once"),
            models.UniqueConstraint(fields=["thread"], condition=Q(status="running"), name="one_running_per_thread"),
        ]
        indexes = [
            models.Index(fields=["wake_at"], condition=Q(status="queued"), name="run_due"),
            models.Index(fields=["lease_until"], condition=Q(status="running"), name="run_leased"),
            models.Index(fields=["workspace", "-created_at"], name="run_list"),
            models.Index(fields=["ended_at"], condition=Q(scored_at=None, status="succeeded"), name="run_unscored"),
            models.Index(
                fields=["ended_at"], condition=Q(exported_at=None, ended_at__isnull=False), name="run_unexported"
            ),
            models.Index(fields=["thread", "created_at"], name="run_thread"),
            models.Index(fields=["deadline_at"], condition=Q(status__in=OPEN_STATUSES), name="run_deadline"),
            models.Index(
                fields=["wake_at"],
                condition=~Q(webhook_url="") & Q(webhook_sent_at=None) & Q(ended_at__isnull=False),
                name="run_webhook",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} {self.pk}"

    @property
    def is_ended(self) -> bool:
        return self.status in self.ENDED


class Step(TenantModel):
    """One thing a run did. Written once, when it is done; a trigger refuses changes."""

    class Kind(models.TextChoices):
        LLM = "llm", "Model"
        TOOL = "tool", "Tool"
        GUARD = "guard", "Rules"
        MEMORY = "memory", "Memory"
        HANDOFF = "handoff", "Hand-over"
        APPROVAL = "approval", "Approval"
        PLAIN = "plain", "Step"

    run = TenantForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    # From 1 without gaps: what streams resume by.
    n = models.PositiveIntegerField()
    # What the workflow calls it; the same key again is this row.
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    agent = models.CharField(max_length=40, blank=True)
    input = models.JSONField(default=dict)
    input_sha256 = models.CharField(max_length=64)
    output = models.JSONField(null=True)
    # A step may fail and be written so: {"code", "message"}.
    error = models.JSONField(null=True)
    model = models.CharField(max_length=80, blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_micro = models.PositiveBigIntegerField(default=0)
    # OpenTelemetry's ids, 16 hex digits.
    span_id = models.CharField(max_length=16)
    parent_span_id = models.CharField(max_length=16, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["n"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "run", "key"], name="step_once"),
            models.UniqueConstraint(fields=["workspace", "run", "n"], name="step_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.n}. {self.key}"


class Interrupt(TenantModel):
    """A run asks a person. Answered once, by a conditional update."""

    class Answer(models.TextChoices):
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"

    run = TenantForeignKey(Run, on_delete=models.CASCADE, related_name="interrupts")
    key = models.CharField(max_length=120)
    # What is to be done: the tool and exactly what it will be called with.
    action = models.CharField(max_length=60)
    args = models.JSONField(default=dict)
    args_sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=300, blank=True)
    # The permission that its answer needs.
    perm = models.CharField(max_length=40)
    expires_at = models.DateTimeField()
    answer = models.CharField(max_length=8, choices=Answer.choices, blank=True)
    # What the person gave along: {"note": …, "choice": …}
    given = models.JSONField(default=dict, blank=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_label = models.CharField(max_length=120, blank=True)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "run", "key"], name="interrupt_once")]
        indexes = [
            models.Index(fields=["workspace", "created_at"], condition=Q(answer=""), name="interrupt_open"),
            models.Index(fields=["expires_at"], condition=Q(answer=""), name="interrupt_expiring"),
        ]

    def __str__(self) -> str:
        return f"{self.action} ({self.answer or 'waiting'})"


class Effect(TenantModel):
    """Something a run changed outside itself. One execution per key, whoever tries."""

    key = models.CharField(max_length=160)
    run = TenantForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="effects")
    tool = models.CharField(max_length=60)
    args_sha256 = models.CharField(max_length=64)
    result = models.JSONField(null=True)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="effect_once")]

    def __str__(self) -> str:
        return self.key


class Message(TenantModel):
    """What was said in a thread."""

    class Role(models.TextChoices):
        USER = "user", "User"
        ASSISTANT = "assistant", "Assistant"
        SYSTEM = "system", "System"

    thread = TenantForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=9, choices=Role.choices)
    text = models.TextField()
    provenance = models.CharField(max_length=9, choices=Provenance.choices, default=Provenance.MEMBER)
    run = TenantForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="messages")
    # [{"n": 1, "kind": "item" | "chunk" | "web", "id": …, "title": …, "url": …}]
    citations = models.JSONField(default=list)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["workspace", "thread", "seq"], name="message_once")]

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:40]}"
