"""/api/guard: check a text, the rules in force, the workspace's settings and its own list."""

import json
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Perm
from accounts.answers import Data, ListView, page_of, valid
from accounts.rest import WorkspaceView
from compliance.guard.port import Disclosure, Severity, Verdict
from compliance.guard_check import MAX_TEXT, Question, check_text, decision_data, rule_data, rules_in_force
from compliance.guard_settings import (
    FACT_LISTS,
    LONGEST_EXPIRY_HOURS,
    LONGEST_SLA_MINUTES,
    MAX_CERTIFICATE,
    MAX_ENTRIES,
    settings_data,
    settings_of,
    update_guard_settings,
)
from compliance.models import GuardSettings, WorkspaceTerm
from compliance.places import MAX_MARKETS
from compliance.terms import TermDraft, add_term, change_term, delete_term, get_term, term_data, visible_terms

MAX_FACTS = 20_000


# --- check ------------------------------------------------------------------------------------------------


class CheckInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_TEXT, allow_blank=True, default="", trim_whitespace=False)
    platform = serializers.CharField(max_length=40, required=False, allow_blank=True, default="any")
    jurisdiction = serializers.CharField(
        max_length=8, required=False, allow_blank=True, help_text="One market; without any, those of the workspace."
    )
    jurisdictions = serializers.ListField(
        child=serializers.CharField(max_length=8), required=False, max_length=MAX_MARKETS, help_text="Several at once."
    )
    industry = serializers.CharField(max_length=40, required=False, allow_blank=True)
    language = serializers.CharField(max_length=12, required=False, allow_blank=True, default="")
    action = serializers.CharField(max_length=40, required=False, default="publish")
    relationship = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    ai_generated = serializers.BooleanField(required=False, default=False)
    context = serializers.DictField(  # type: ignore[assignment]  # taken out of the class by DRF
        required=False, default=dict, help_text="What is known about account, history, recipient, media and proof."
    )

    def validate_context(self, value: Data) -> Data:
        if len(json.dumps(value, default=str)) > MAX_FACTS:
            raise serializers.ValidationError("These are too many facts.")
        return value


class HitAnswer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    severity = serializers.ChoiceField([severity.value for severity in Severity])
    part = serializers.IntegerField(help_text="Of a thread, from 0.")
    start = serializers.IntegerField(help_text="In code points; start and end are equal where it is about the whole.")
    end = serializers.IntegerField()
    message = serializers.CharField()
    citation = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    replacement = serializers.CharField(allow_null=True, allow_blank=True, help_text="Put in place it settles the hit.")


class CheckAnswer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    disclosure = serializers.ChoiceField([answer.value for answer in Disclosure], allow_null=True)
    hits = HitAnswer(many=True)


def _question(data: Data) -> Question:
    given = [*data.get("jurisdictions", []), *filter(None, [data.get("jurisdiction", "")])]
    asked = "jurisdictions" in data or "jurisdiction" in data
    same = ("text", "platform", "language", "action", "relationship", "ai_generated")
    return Question(
        **{name: data[name] for name in same},
        markets=given if asked else None,
        industry=data.get("industry"),
        facts=data["context"],
    )


class CheckView(WorkspaceView):
    @extend_schema(
        operation_id="guard_check",
        tags=["guard"],
        summary="What the rules say about a text; nothing is kept",
        request=CheckInput,
        responses=CheckAnswer,
    )
    def post(self, request: Request) -> Response:
        question = _question(valid(CheckInput(data=request.data)))
        return Response(decision_data(check_text(question, by=self.actor)))


# --- rules ------------------------------------------------------------------------------------------------


class RuleFilter(serializers.Serializer[Any]):
    search = serializers.CharField(max_length=120, required=False, default="", help_text="Words in any order.")
    jurisdiction = serializers.CharField(max_length=8, required=False, default="")
    severity = serializers.ChoiceField([severity.value for severity in Severity], required=False)


class RuleAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    pack = serializers.CharField(allow_blank=True)
    engine = serializers.CharField()
    severity = serializers.ChoiceField([severity.value for severity in Severity])
    message = serializers.CharField()
    citation = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    jurisdictions = serializers.ListField(child=serializers.CharField())
    platforms = serializers.ListField(child=serializers.CharField())
    actions = serializers.ListField(child=serializers.CharField())
    industries = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)


class RuleListAnswer(serializers.Serializer[Any]):
    results = RuleAnswer(many=True)


class RuleListView(WorkspaceView):
    @extend_schema(
        operation_id="guard_rules",
        tags=["guard"],
        summary="The rules in force today, the workspace's own first",
        parameters=[RuleFilter],
        responses=RuleListAnswer,
    )
    def get(self, request: Request) -> Response:
        wanted = valid(RuleFilter(data=request.query_params))
        rules = rules_in_force(
            self.actor,
            words=wanted["search"],
            market=wanted["jurisdiction"].upper(),
            severity=wanted.get("severity", ""),
        )
        return Response({"results": [rule_data(rule) for rule in rules]})


# --- settings ---------------------------------------------------------------------------------------------


class SlaInput(serializers.Serializer[Any]):
    high = serializers.IntegerField(min_value=1, max_value=LONGEST_SLA_MINUTES, required=False)
    medium = serializers.IntegerField(min_value=1, max_value=LONGEST_SLA_MINUTES, required=False)
    low = serializers.IntegerField(min_value=1, max_value=LONGEST_SLA_MINUTES, required=False)


def _entries(help_text: str) -> serializers.ListField:
    entry = serializers.CharField(max_length=200)
    return serializers.ListField(child=entry, required=False, max_length=MAX_ENTRIES, help_text=help_text)


class SettingsInput(serializers.Serializer[Any]):
    markets = serializers.ListField(
        child=serializers.CharField(max_length=8),
        required=False,
        max_length=MAX_MARKETS,
        help_text="Such as CN or EU.",
    )
    industry = serializers.CharField(max_length=40, required=False, allow_blank=True)
    pii_mode = serializers.ChoiceField(GuardSettings.PiiMode.choices, required=False)
    review_cert_number = serializers.CharField(
        max_length=MAX_CERTIFICATE,
        required=False,
        allow_blank=True,
        help_text="For medical advertising in China.",
    )
    allowed_contacts = _entries("The workspace's own public contact data.")
    allowed_domains = _entries("Where there are any, links to other domains ask for a person.")
    blocked_domains = _entries("Never link to these.")
    sla_minutes = SlaInput(required=False, help_text="Within how many minutes a review wants a decision, by risk.")
    expires_after_hours = serializers.IntegerField(min_value=1, max_value=LONGEST_EXPIRY_HOURS, required=False)


assert set(FACT_LISTS) <= set(SettingsInput().fields)


class SettingsView(WorkspaceView):
    @extend_schema(
        operation_id="guard_settings", tags=["guard"], summary="What counts in this workspace", responses=SettingsInput
    )
    def get(self, request: Request) -> Response:
        return Response(settings_data(settings_of(self.actor)))

    @extend_schema(
        operation_id="guard_settings_update",
        tags=["guard"],
        summary="Change some of it",
        request=SettingsInput,
        responses=SettingsInput,
    )
    def patch(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        data = valid(SettingsInput(data=request.data))
        return Response(settings_data(update_guard_settings(by=self.actor, **data)))


# --- the workspace's own list -----------------------------------------------------------------------------


class TermInput(serializers.Serializer[Any]):
    term = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(WorkspaceTerm.Kind.choices, required=False, default=WorkspaceTerm.Kind.BLOCK.value)
    replacement = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    platforms = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, default=list, max_length=40
    )
    valid_to = serializers.DateField(required=False, allow_null=True, default=None)


class TermAnswer(TermInput):
    id = serializers.UUIDField()


def _term(row: WorkspaceTerm) -> Data:
    return {"id": row.pk} | term_data(row)


def _draft(request: Request) -> TermDraft:
    data = valid(TermInput(data=request.data))
    return TermDraft(**data | {"platforms": tuple(data["platforms"])})


class TermListView(ListView):
    @extend_schema(
        operation_id="guard_terms",
        tags=["guard"],
        summary="The workspace's own list, newest first",
        responses=TermAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        return page_of(self, visible_terms(self.actor), _term)

    @extend_schema(
        operation_id="guard_term_create",
        tags=["guard"],
        summary="Put a word on the list",
        request=TermInput,
        responses={201: TermAnswer},
    )
    def post(self, request: Request) -> Response:
        self.actor.require(Perm.SETTINGS)
        return Response(_term(add_term(_draft(request), by=self.actor)), status=201)


class TermView(WorkspaceView):
    @extend_schema(operation_id="guard_term", tags=["guard"], summary="One word of the list", responses=TermAnswer)
    def get(self, request: Request, term_id: UUID) -> Response:
        return Response(_term(get_term(self.actor, term_id)))

    @extend_schema(
        operation_id="guard_term_replace",
        tags=["guard"],
        summary="Change a word of the list",
        request=TermInput,
        responses=TermAnswer,
    )
    def put(self, request: Request, term_id: UUID) -> Response:
        row = get_term(self.actor, term_id)
        self.actor.require(Perm.SETTINGS)
        return Response(_term(change_term(row, _draft(request), by=self.actor)))

    @extend_schema(
        operation_id="guard_term_delete", tags=["guard"], summary="Take a word off the list", responses={204: None}
    )
    def delete(self, request: Request, term_id: UUID) -> Response:
        delete_term(get_term(self.actor, term_id), by=self.actor)
        return Response(status=204)
