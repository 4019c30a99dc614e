import accounts.tenancy
import django.db.models.deletion
import lib.clock
import lib.crypto
import lib.ids
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy import SecureTenantTables
from lib.tables import CreateTables


class Migration(migrations.Migration):
    replaces = [
        ("social", "0001_initial"),
        ("social", "0002_secure"),
        ("social", "0003_publishing"),
        ("social", "0004_secure_publishing"),
        ("social", "0005_telegram_chats"),
        ("social", "0006_origin"),
    ]

    initial = True

    dependencies = [("accounts", "0001_squashed_0009_tell_marks_once")]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name="Connection",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("network", models.CharField(choices=[("x", "X"), ("telegram", "Telegram")], max_length=12)),
                        ("remote_id", models.CharField(max_length=40)),
                        ("handle", models.CharField(max_length=80)),
                        ("name", models.CharField(max_length=120)),
                        ("is_premium", models.BooleanField(default=False)),
                        ("followers", models.PositiveIntegerField(default=0)),
                        (
                            "status",
                            models.CharField(
                                choices=[("active", "Active"), ("reconnect", "Needs reconnecting"), ("paused", "Paused"), ("suspended", "Suspended"), ("disconnected", "Disconnected")],
                                default="active",
                                max_length=12,
                            ),
                        ),
                        ("status_text", models.CharField(blank=True, max_length=300)),
                        ("scopes", models.JSONField(default=list)),
                        ("api_host", models.CharField(blank=True, max_length=120)),
                        ("connected_at", models.DateTimeField(default=lib.clock.now)),
                        ("checked_at", models.DateTimeField(null=True)),
                        ("limited_until", models.DateTimeField(null=True)),
                        ("connected_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("app_key", models.CharField(blank=True, max_length=64)),
                        ("broken_until", models.DateTimeField(null=True)),
                        ("failures_in_row", models.PositiveSmallIntegerField(default=0)),
                        ("kind", models.CharField(blank=True, max_length=12)),
                        (
                            "unknown_policy",
                            models.CharField(
                                choices=[("ask", "Ask a person"), ("never", "Give up: rather missing than twice"), ("again", "Send again: rather twice than missing")], default="ask", max_length=5
                            ),
                        ),
                        ("origin_id", models.CharField(blank=True, max_length=40)),
                    ],
                    options={
                        "ordering": ["network", "handle"],
                        "indexes": [models.Index(fields=["remote_id"], name="connection_remote_id", opclasses=["varchar_pattern_ops"])],
                        "constraints": [models.UniqueConstraint(fields=("workspace", "network", "remote_id"), name="one_connection_per_account")],
                    },
                ),
                migrations.CreateModel(
                    name="NetworkApp",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("network", models.CharField(choices=[("x", "X"), ("telegram", "Telegram")], max_length=12)),
                        ("name", models.CharField(max_length=80)),
                        ("client_id", models.CharField(blank=True, max_length=200)),
                        ("client_secret", lib.crypto.SecretField(blank=True, default="")),
                        ("consumer_key", models.CharField(blank=True, max_length=200)),
                        ("consumer_secret", lib.crypto.SecretField(blank=True, default="")),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["name"], "constraints": [models.UniqueConstraint(fields=("workspace", "network", "name"), name="app_name_once")]},
                ),
                migrations.CreateModel(
                    name="Credential",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("kind", models.CharField(choices=[("oauth2", "OAuth 2.0"), ("oauth1", "OAuth 1.0a"), ("bot", "Bot token")], default="oauth2", max_length=8)),
                        ("access_token", lib.crypto.SecretField(blank=True, default="")),
                        ("refresh_token", lib.crypto.SecretField(blank=True, default="")),
                        ("token_secret", lib.crypto.SecretField(blank=True, default="")),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("updated_at", models.DateTimeField(default=lib.clock.now)),
                        ("connection", models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="credential", to="social.connection")),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("app", accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="social.networkapp")),
                        ("bot", accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="social.bot")),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="OAuthState",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("state_hash", models.CharField(max_length=64, unique=True)),
                        ("session_hash", models.CharField(blank=True, max_length=64)),
                        ("verifier", lib.crypto.SecretField()),
                        ("redirect_uri", models.CharField(max_length=300)),
                        ("app_id", models.UUIDField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(null=True)),
                        ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"indexes": [models.Index(condition=models.Q(("used_at", None)), fields=["expires_at"], name="oauth_state_expiry")]},
                ),
                migrations.CreateModel(
                    name="BotReceiver",
                    fields=[
                        ("bot_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("workspace_id", models.UUIDField(null=True)),
                        ("username", models.CharField(blank=True, max_length=64)),
                        ("next_update", models.BigIntegerField(default=0)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("webhook_secret_hash", models.CharField(blank=True, max_length=64)),
                        ("polled_at", models.DateTimeField(null=True)),
                        ("problem", models.CharField(blank=True, max_length=200)),
                    ],
                ),
                migrations.CreateModel(
                    name="NetworkState",
                    fields=[
                        ("network", models.CharField(choices=[("x", "X"), ("telegram", "Telegram")], max_length=12, primary_key=True, serialize=False)),
                        ("failures_in_row", models.PositiveSmallIntegerField(default=0)),
                        ("broken_until", models.DateTimeField(null=True)),
                        ("changed_at", models.DateTimeField(default=lib.clock.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="RateBucket",
                    fields=[
                        ("app_key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ("limit", models.PositiveIntegerField()),
                        ("remaining", models.PositiveIntegerField()),
                        ("resets_at", models.DateTimeField()),
                        ("seen_at", models.DateTimeField(default=lib.clock.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="Bot",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("bot_id", models.BigIntegerField(unique=True)),
                        ("username", models.CharField(max_length=64)),
                        ("name", models.CharField(max_length=120)),
                        ("token", lib.crypto.SecretField()),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["username"]},
                ),
                migrations.CreateModel(
                    name="BotChat",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("bot_id", models.BigIntegerField()),
                        ("chat_id", models.BigIntegerField()),
                        ("kind", models.CharField(max_length=12)),
                        ("title", models.CharField(max_length=255)),
                        ("username", models.CharField(blank=True, max_length=64)),
                        ("is_forum", models.BooleanField(default=False)),
                        ("status", models.CharField(max_length=20)),
                        ("can_post", models.BooleanField(default=False)),
                        ("changed_by", models.BigIntegerField(null=True)),
                        ("changed_at", models.DateTimeField(default=lib.clock.now)),
                        ("topics", models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        "ordering": ["title"],
                        "indexes": [models.Index(fields=["changed_by"], name="bot_chat_changed_by")],
                        "constraints": [models.UniqueConstraint(fields=("bot_id", "chat_id"), name="bot_chat_once")],
                    },
                ),
                migrations.CreateModel(
                    name="InboundUpdate",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("bot_id", models.BigIntegerField()),
                        ("update_id", models.BigIntegerField()),
                        ("kind", models.CharField(max_length=40)),
                        ("payload", models.JSONField()),
                        ("received_at", models.DateTimeField(default=lib.clock.now)),
                        ("handled_at", models.DateTimeField(null=True)),
                        ("failures", models.PositiveSmallIntegerField(default=0)),
                        ("problem", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "ordering": ["id"],
                        "indexes": [models.Index(condition=models.Q(("handled_at", None)), fields=["id"], name="update_unhandled")],
                        "constraints": [models.UniqueConstraint(fields=("bot_id", "update_id"), name="update_once")],
                    },
                ),
                migrations.CreateModel(
                    name="TelegramCode",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("code_hash", models.CharField(max_length=64, unique=True)),
                        ("purpose", models.CharField(choices=[("link", "Link a person"), ("connect", "Connect a chat")], max_length=8)),
                        ("bot_id", models.BigIntegerField()),
                        ("chat_id", models.BigIntegerField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(null=True)),
                        ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                ),
                migrations.CreateModel(
                    name="TelegramLink",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("telegram_user_id", models.BigIntegerField(unique=True)),
                        ("bot_id", models.BigIntegerField()),
                        ("username", models.CharField(blank=True, max_length=64)),
                        ("name", models.CharField(blank=True, max_length=120)),
                        ("linked_at", models.DateTimeField(default=lib.clock.now)),
                        ("user", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="telegram_link", to=settings.AUTH_USER_MODEL)),
                    ],
                ),
                migrations.CreateModel(
                    name="UserSession",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=120)),
                        ("api_id", models.PositiveIntegerField()),
                        ("api_hash", lib.crypto.SecretField()),
                        ("session", lib.crypto.SecretField()),
                        ("status", models.CharField(choices=[("active", "Active"), ("broken", "Needs a new session"), ("paused", "Paused")], default="active", max_length=8)),
                        ("status_text", models.CharField(blank=True, max_length=300)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("lease_holder", models.CharField(blank=True, max_length=40)),
                        ("flood_until", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["name"]},
                ),
                migrations.CreateModel(
                    name="InviteLink",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("campaign_id", models.UUIDField(blank=True, null=True)),
                        ("name", models.CharField(max_length=32)),
                        ("url", models.CharField(max_length=200)),
                        ("joins", models.PositiveIntegerField(default=0)),
                        ("member_limit", models.PositiveIntegerField(blank=True, null=True)),
                        ("needs_approval", models.BooleanField(default=False)),
                        ("expires_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("connection", accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="invite_links", to="social.connection")),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["-created_at"], "constraints": [models.UniqueConstraint(fields=("connection", "url"), name="invite_link_once")]},
                ),
            ]
        ),
        SecureTenantTables("Connection", "NetworkApp", "Bot", "Credential", "OAuthState:state_hash", "InviteLink", "UserSession", "TelegramCode:code_hash"),
    ]
