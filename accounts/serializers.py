from typing import Any

from rest_framework import serializers

from accounts.access import SCOPES
from accounts.models import ApiKey, Membership, User, check_time_zone


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]  # the name is RFC 9457's
        required=False, help_text="Messages by field, where fields are not right."
    )


class WorkspaceSerializer(serializers.ModelSerializer[Membership]):
    """A workspace as one of its members sees it."""

    id = serializers.UUIDField(source="workspace.pk")
    slug = serializers.CharField(source="workspace.slug", help_text="What X-Workspace wants.")
    name = serializers.CharField(source="workspace.name")
    time_zone = serializers.CharField(source="workspace.time_zone")
    is_suspended = serializers.BooleanField(source="workspace.is_suspended")

    class Meta:
        model = Membership
        fields = ["id", "slug", "name", "time_zone", "role", "is_suspended"]


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "name", "time_zone"]
        read_only_fields = ["id", "email"]

    def validate_time_zone(self, value: str) -> str:
        if value:
            check_time_zone(value)
        return value


class MeSerializer(UserSerializer):
    workspaces = serializers.SerializerMethodField()

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "workspaces"]

    def get_workspaces(self, user: User) -> list[dict[str, Any]]:
        return list(WorkspaceSerializer(self.context["memberships"], many=True).data)


class RegisterSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(write_only=True, max_length=128, trim_whitespace=False)
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    workspace = serializers.CharField(max_length=80, required=False, allow_blank=True, help_text="Its name.")
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(write_only=True, max_length=128, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20, required=False, allow_blank=True, default="", help_text="Where two-factor sign-in is on."
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4000)


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    refresh = serializers.CharField(help_text="Brings a new access token at /api/auth/refresh.")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")


class LoginAnswerSerializer(TokensSerializer):
    user = UserSerializer()


class RegisterAnswerSerializer(serializers.Serializer[Any]):
    """Where the operator wants addresses confirmed first, everything is null until the mailed link was followed."""

    access = serializers.CharField(allow_null=True)
    refresh = serializers.CharField(allow_null=True)
    expires_in = serializers.IntegerField(allow_null=True)
    user = UserSerializer(allow_null=True)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    scopes = serializers.ListField(child=serializers.ChoiceField(sorted(SCOPES)), allow_empty=False)
    is_revoked = serializers.SerializerMethodField()

    class Meta:
        model = ApiKey
        fields = ["id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "is_revoked"]
        read_only_fields = ["id", "prefix", "created_at", "last_used_at"]

    def get_is_revoked(self, key: ApiKey) -> bool:
        return key.revoked_at is not None


class NewApiKeySerializer(ApiKeySerializer):
    """The one answer that carries the secret."""

    key = serializers.CharField(
        allow_null=True, help_text="Shown this once: only its hash is stored. Null when an answer is repeated."
    )

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
