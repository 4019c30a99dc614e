from typing import Any

from rest_framework import serializers

from social.models import Connection


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """One account of the workspace, and whether it works."""

    health = serializers.ChoiceField(["ok", "warning", "error", "off"], read_only=True)
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    missing_scopes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="What the account did not grant."
    )
    is_sandbox = serializers.BooleanField(read_only=True, help_text="Nothing reaches the real network.")
    access_ends_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Of the current token; it is renewed on use with offline.access.",
    )
    limited_until = serializers.DateTimeField(source="limited_now", read_only=True, allow_null=True)

    class Meta:
        model = Connection
        fields = [
            "id",
            "network",
            "kind",
            "remote_id",
            "handle",
            "name",
            "is_premium",
            "followers",
            "status",
            "status_text",
            "health",
            "scopes",
            "missing_scopes",
            "is_sandbox",
            "access_ends_at",
            "limited_until",
            "unknown_policy",
            "connected_at",
            "checked_at",
        ]
        read_only_fields = fields


class StatusSerializer(serializers.Serializer[Any]):
    connections = ConnectionSerializer(many=True)


class AuthorizeSerializer(serializers.Serializer[Any]):
    authorize_url = serializers.URLField(help_text="Open it in a browser that is logged in here as the same person.")
    expires_at = serializers.DateTimeField()


class DisconnectSerializer(serializers.Serializer[Any]):
    connection = serializers.UUIDField()
