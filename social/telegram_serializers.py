from typing import Any

from rest_framework import serializers

from social.models import InviteLink
from social.telegram.topics import known_topics


class BotSerializer(serializers.Serializer[Any]):
    """A bot that this workspace may post with. Its token is never shown."""

    bot_id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    is_instance = serializers.BooleanField(help_text="The bot of this instance, which every workspace may use.")


class BotsSerializer(serializers.Serializer[Any]):
    bots = BotSerializer(many=True)


class NewBotSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=500, write_only=True, help_text="From @BotFather.")


class BotChoiceSerializer(serializers.Serializer[Any]):
    bot = serializers.IntegerField(required=False, help_text="Its id. Left out: the bot of this instance.")


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Works once, for you and this workspace.")
    command = serializers.CharField(help_text="What to post in the channel or group.")
    add_to_channel = serializers.CharField(help_text="Opens Telegram.")
    add_to_group = serializers.CharField(help_text="Opens Telegram; the code goes along.")
    expires_at = serializers.DateTimeField()


class TopicSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class ChatSerializer(serializers.Serializer[Any]):
    chat_id = serializers.IntegerField()
    kind = serializers.ChoiceField(["channel", "group", "supergroup"])
    title = serializers.CharField()
    username = serializers.CharField(allow_blank=True)
    is_forum = serializers.BooleanField()
    can_post = serializers.BooleanField(help_text="Whether the bot has the right to.")
    topics = serializers.SerializerMethodField(help_text="As far as the bot has heard of them.")

    def get_topics(self, chat: Any) -> list[dict[str, Any]]:
        return [{"id": number, "name": name} for number, name in known_topics(chat)]


class ChatsSerializer(serializers.Serializer[Any]):
    chats = ChatSerializer(many=True)


class ConnectChatSerializer(BotChoiceSerializer):
    chat = serializers.CharField(max_length=200, help_text="Its number, or @name.")
    topic = serializers.IntegerField(required=False, min_value=2, help_text="Of a forum.")


class InviteLinkSerializer(serializers.ModelSerializer[InviteLink]):
    """A named link into a chat, and how many joined by it."""

    connection = serializers.UUIDField(source="connection_id")

    class Meta:
        model = InviteLink
        fields = [
            "id",
            "connection",
            "campaign_id",
            "name",
            "url",
            "joins",
            "member_limit",
            "needs_approval",
            "expires_at",
            "revoked_at",
            "created_at",
        ]
        read_only_fields = fields


class NewInviteLinkSerializer(serializers.Serializer[Any]):
    connection = serializers.UUIDField()
    name = serializers.CharField(max_length=32)
    member_limit = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=99_999)
    needs_approval = serializers.BooleanField(default=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    campaign_id = serializers.UUIDField(required=False, allow_null=True, help_text="Joins then count for it.")
