"""/api/users/{id}/preferences"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.answers import tagged, valid, wants_other
from agents.memory.blocks import OWN_BLOCK, PERSONALITY, PROFILE
from personal.api.own import IF_MATCH, USER_ID, OwnView
from personal.preferences import (
    CHANNELS,
    MAX_INTEREST,
    MAX_INTERESTS,
    Preferences,
    StalePreferences,
    change_preferences,
    get_preferences,
    replace_preferences,
)
from personal.wording import LANGUAGES

# The usual words repeat what was sent, which may hold characters that no answer can.
UNKNOWN: dict[str, Any] = {"invalid_choice": "This is none of the choices."}
EXAMPLE = OpenApiExample(
    "Mornings by mail",
    {"language": "en", "interests": ["coffee", "咖啡"], "channels": ["in_app", "mail"], "personality": "Brief."},
    request_only=True,
)


class PreferencesInput(serializers.Serializer[Any]):
    language = serializers.ChoiceField(
        choices=list(LANGUAGES.items()), required=False, error_messages=UNKNOWN, help_text="Of briefs and reports."
    )
    personality = serializers.CharField(
        max_length=PERSONALITY.limit, required=False, allow_blank=True, help_text="How your assistant speaks."
    )
    profile = serializers.CharField(
        max_length=PROFILE.limit, required=False, allow_blank=True, help_text="What it should know of you."
    )
    manner = serializers.CharField(
        max_length=OWN_BLOCK.limit, required=False, allow_blank=True, help_text="How it should work with you."
    )
    interests = serializers.ListField(
        child=serializers.CharField(max_length=MAX_INTEREST), max_length=MAX_INTERESTS, required=False
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=list(CHANNELS.items()), error_messages=UNKNOWN),
        max_length=len(CHANNELS),
        required=False,
        help_text="Where briefs go. Telegram needs a linked account.",
    )


class PreferencesAnswer(serializers.Serializer[Any]):
    language = serializers.CharField()
    personality = serializers.CharField(allow_blank=True)
    profile = serializers.CharField(allow_blank=True)
    manner = serializers.CharField(allow_blank=True)
    interests = serializers.ListField(child=serializers.CharField())
    channels = serializers.ListField(child=serializers.CharField())
    version = serializers.CharField(help_text="The ETag.")


def _answer(found: Preferences) -> Response:
    return tagged(asdict(found), found.version)


class PreferencesView(OwnView):
    @extend_schema(
        operation_id="preferences",
        tags=["personal"],
        summary="How you want your assistant, briefs and reports",
        parameters=[USER_ID],
        responses=PreferencesAnswer,
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        return _answer(get_preferences(self.actor))

    @extend_schema(
        operation_id="preferences_replace",
        tags=["personal"],
        summary="Replace them; what is left out becomes as it was at first",
        parameters=[USER_ID, IF_MATCH],
        request=PreferencesInput,
        responses=PreferencesAnswer,
        examples=[EXAMPLE],
    )
    def put(self, request: Request, user_id: UUID) -> Response:
        fields = valid(PreferencesInput(data=request.data))
        return _answer(replace_preferences(by=self.actor, expected=self._expected(request), **fields))

    @extend_schema(
        operation_id="preferences_update",
        tags=["personal"],
        summary="Change some of them",
        parameters=[USER_ID, IF_MATCH],
        request=PreferencesInput,
        responses=PreferencesAnswer,
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        fields = valid(PreferencesInput(data=request.data))
        return _answer(change_preferences(by=self.actor, expected=self._expected(request), **fields))

    def _expected(self, request: Request) -> str | None:
        """The version to change from; None where the caller named none."""
        if request.headers.get("If-Match", "").strip() in {"", "*"}:
            return None
        version = get_preferences(self.actor).version
        if wants_other(request, version):
            raise StalePreferences("They were changed in the meantime. Read them again and repeat your change.")
        return version
