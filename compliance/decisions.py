"""Verdicts for a workspace: the rules in force and its own list over one draft, and the record of what mattered."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from compliance.guard import Context, Decision, Draft, Hit, Verdict
from compliance.guard.engines import ENGINES
from compliance.guard.pipeline import check
from compliance.guard.port import Severity, verdict_of
from compliance.models import GuardDecision, GuardSettings, WorkspaceTerm
from compliance.models.review import Risk
from compliance.rulesets import OwnLists, instance_rules, own_rules
from lib.clock import now

PHRASES = tuple(engine for engine in ENGINES if engine.name == "phrases")
# What a word on the workspace's own list of fine words makes of a hit inside it: the law stays with a person.
SOFTER = {Severity.BLOCK: Severity.REVIEW, Severity.REVIEW: Severity.NOTE, Severity.NOTE: Severity.NOTE}
# Businesses whose advertising harms people when it is wrong.
DELICATE = {"medical", "medical_aesthetics", "pharma", "supplement", "finance", "gambling", "alcohol"}


def guard_settings(workspace: Workspace) -> GuardSettings:
    """The workspace's, or what holds where nobody set anything (not saved)."""
    return GuardSettings.objects.filter(workspace=workspace).first() or GuardSettings(workspace=workspace)


def judge(workspace: Workspace, draft: Draft, context: Context, lists: OwnLists | None = None) -> Decision:
    """All engines with all rules (inside the workspace's scope). Nothing is written.

    `lists` spares the query where many drafts of one workspace are judged.
    """
    own, allowed = lists or own_rules(workspace.pk)
    allowed = tuple(term for term in allowed if not term.platforms or context.platform in term.platforms)
    decision = check(draft, context, instance_rules())
    hits = [_softened(hit, draft, allowed) for hit in decision.hits]
    if own.rules:
        hits += check(draft, context, own, PHRASES).hits
    hits.sort(key=lambda hit: (hit.part, hit.start, hit.end, hit.rule))
    return replace(decision, hits=tuple(hits), verdict=verdict_of(hits))


def _softened(hit: Hit, draft: Draft, allowed: Iterable[WorkspaceTerm]) -> Hit:
    if hit.start == hit.end:
        return hit
    text = draft.texts[hit.part].casefold()
    if any(_covers(text, term.term.casefold(), hit) for term in allowed):
        return replace(hit, severity=SOFTER[hit.severity])
    return hit


def _covers(text: str, term: str, hit: Hit) -> bool:
    """The hit lies inside a place where the term stands. Casefolding may move offsets: then it does not count."""
    at = text.find(term, max(0, hit.end - len(term)), hit.start + len(term))
    return at != -1 and at <= hit.start and hit.end <= at + len(term)


def risk_of(decision: Decision, context: Context) -> Risk:
    """How much harm an error would do: sets how soon a person has to look, and what a policy may let through."""
    asking = len(decision.rules)
    if decision.verdict == Verdict.BLOCK or asking > 1 or (asking and context.industry in DELICATE):
        return Risk.HIGH
    if asking or context.action == "reply" or context.industry in DELICATE:
        return Risk.MEDIUM
    return Risk.LOW


def keep_decision(
    decision: Decision, *, workspace: Workspace, kind: str, object_id: UUID, action_hash: str, stage: str
) -> None:
    """Write the verdict down, and count the rules it came from."""
    GuardDecision.objects.create(
        workspace=workspace,
        kind=kind,
        object_id=object_id,
        action_hash=action_hash,
        stage=stage,
        verdict=decision.verdict,
        disclosure=decision.disclosure or "",
        hits=[hit.as_data() for hit in decision.hits],
        took_us=sum(run.took_us for run in decision.runs),
    )
    is_approval = stage == GuardDecision.Stage.APPROVAL
    rows = [
        (hit.rule, 0 if is_approval else 1, int(hit.severity == Severity.BLOCK), int(is_approval))
        for hit in {hit.rule: hit for hit in decision.hits}.values()
    ]
    if stage != GuardDecision.Stage.SEND:
        _count(workspace, rows)


def _count(workspace: Workspace, rows: list[tuple[str, int, int, int]]) -> None:
    today = now().date()
    with connection.cursor() as cursor:
        # In the order of the key: two that count the same rules must not wait for each other.
        for rule, hits, blocked, approved in sorted(rows):
            cursor.execute(
                "INSERT INTO compliance_rulestat (id, workspace_id, rule, day, hits, blocked, approved) "
                "VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (workspace_id, rule, day) DO UPDATE SET hits = compliance_rulestat.hits + excluded.hits, "
                "blocked = compliance_rulestat.blocked + excluded.blocked, "
                "approved = compliance_rulestat.approved + excluded.approved",
                [workspace.pk, rule, today, hits, blocked, approved],
            )
