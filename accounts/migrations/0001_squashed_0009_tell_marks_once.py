import accounts.models.people
import django.db.models.deletion
import django.utils.timezone
import lib.clock
import lib.ids
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy import SecureTenantTables
from lib.tables import CreateTables

# The trail of a workspace goes with it, and only then: its grace period is over and the deletion names it.
APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.workspace_id::text = current_setting('app.deleting_workspace', true) AND EXISTS (
        SELECT 1 FROM accounts_workspace w WHERE w.id = OLD.workspace_id AND w.deletes_at <= statement_timestamp()
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


class Migration(migrations.Migration):
    replaces = [
        ("accounts", "0001_initial"),
        ("accounts", "0002_secure"),
        ("accounts", "0003_publishing"),
        ("accounts", "0004_secure_publishing"),
        ("accounts", "0005_rates_and_workspace_end"),
        ("accounts", "0006_let_a_deleted_workspace_take_its_trail"),
        ("accounts", "0007_index_the_audit_trail"),
        ("accounts", "0008_service_clients"),
        ("accounts", "0009_tell_marks_once"),
    ]

    initial = True

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name="Workspace",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=80)),
                        ("slug", models.SlugField(max_length=60, unique=True)),
                        ("time_zone", models.CharField(default="UTC", max_length=64, validators=[accounts.models.people.check_time_zone])),
                        ("four_eyes", models.BooleanField(default=False, help_text="Nobody approves a post of their own.", verbose_name="four eyes")),
                        ("late_minutes", models.PositiveIntegerField(default=60, help_text="A post that is later than this is not sent; it waits as missed and asks.")),
                        ("is_suspended", models.BooleanField(default=False, verbose_name="suspended by staff")),
                        ("created_at", models.DateTimeField(default=lib.clock.now, editable=False)),
                        ("holiday_countries", models.JSONField(blank=True, default=list)),
                        ("is_stopped", models.BooleanField(default=False, verbose_name="stopped")),
                        ("late_policy", models.CharField(choices=[("ask", "Ask what to do with it"), ("send", "Send it all the same"), ("drop", "Drop it")], default="ask", max_length=4)),
                        ("monthly_cap_micro", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="monthly cap")),
                        ("stopped_text", models.CharField(blank=True, max_length=200)),
                        ("deletes_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deleted at")),
                    ],
                ),
                migrations.CreateModel(
                    name="User",
                    fields=[
                        ("password", models.CharField(max_length=128, verbose_name="password")),
                        ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                        (
                            "is_superuser",
                            models.BooleanField(default=False, help_text="Designates that this user has all permissions without explicitly assigning them.", verbose_name="superuser status"),
                        ),
                        ("is_staff", models.BooleanField(default=False, help_text="Designates whether the user can log into this admin site.", verbose_name="staff status")),
                        (
                            "is_active",
                            models.BooleanField(default=True, help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.", verbose_name="active"),
                        ),
                        ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("email", models.EmailField(max_length=254, unique=True)),
                        ("name", models.CharField(blank=True, max_length=120)),
                        ("time_zone", models.CharField(blank=True, max_length=64)),
                        (
                            "groups",
                            models.ManyToManyField(
                                blank=True,
                                help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.group",
                                verbose_name="groups",
                            ),
                        ),
                        (
                            "user_permissions",
                            models.ManyToManyField(
                                blank=True, help_text="Specific permissions for this user.", related_name="user_set", related_query_name="user", to="auth.permission", verbose_name="user permissions"
                            ),
                        ),
                        ("last_workspace", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="accounts.workspace")),
                        ("mail_alerts", models.BooleanField(default=True, verbose_name="mail me what needs attention")),
                        ("quiet_from", models.TimeField(blank=True, null=True)),
                        ("quiet_to", models.TimeField(blank=True, null=True)),
                    ],
                    options={"verbose_name": "user", "verbose_name_plural": "users", "abstract": False},
                    managers=[("objects", accounts.models.people.UserManager())],
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=60)),
                        ("payload", models.JSONField(default=dict)),
                        ("created_at", models.DateTimeField(db_index=True, default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"abstract": False},
                ),
                migrations.CreateModel(
                    name="AuditHead",
                    fields=[
                        ("chain", models.UUIDField(primary_key=True, serialize=False)),
                        ("number", models.PositiveBigIntegerField(default=0)),
                        ("hash", models.CharField(default="", max_length=64)),
                        ("workspace", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                ),
                migrations.CreateModel(
                    name="AuditEntry",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("number", models.PositiveBigIntegerField()),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                        ("action", models.CharField(max_length=60)),
                        ("object_kind", models.CharField(max_length=40)),
                        ("object_id", models.CharField(max_length=40)),
                        ("digest", models.CharField(max_length=64)),
                        ("previous_hash", models.CharField(max_length=64)),
                        ("hash", models.CharField(max_length=64)),
                        ("workspace", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={
                        "verbose_name_plural": "audit entries",
                        "ordering": ["number"],
                        "indexes": [
                            models.Index(fields=["workspace", "action", "-number"], name="audit_action"),
                            models.Index(fields=["workspace", "object_kind", "object_id", "-number"], name="audit_object"),
                            models.Index(fields=["workspace", "-at"], name="audit_at"),
                        ],
                        "constraints": [models.UniqueConstraint(fields=("workspace", "number"), name="audit_number", nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name="ApiKey",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=80)),
                        ("prefix", models.CharField(editable=False, max_length=12)),
                        ("key_hash", models.CharField(editable=False, max_length=64, unique=True)),
                        ("scopes", models.JSONField(default=list)),
                        ("created_at", models.DateTimeField(default=lib.clock.now, editable=False)),
                        ("expires_at", models.DateTimeField(blank=True, null=True)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        ("last_used_at", models.DateTimeField(blank=True, null=True)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="api_keys", to="accounts.workspace")),
                    ],
                    options={"ordering": ["-created_at"]},
                ),
                migrations.CreateModel(
                    name="AuditDetail",
                    fields=[
                        (
                            "entry",
                            models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="detail", serialize=False, to="accounts.auditentry"),
                        ),
                        ("actor", models.CharField(max_length=120)),
                        ("data", models.JSONField(default=dict)),
                        ("salt", models.CharField(max_length=32)),
                        ("workspace", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                ),
                migrations.CreateModel(
                    name="Notification",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=60)),
                        ("text", models.CharField(max_length=300)),
                        ("path", models.CharField(blank=True, max_length=200)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("read_at", models.DateTimeField(null=True)),
                        ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("is_alert", models.BooleanField(default=False)),
                        ("mailed_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["-created_at"],
                        "indexes": [
                            models.Index(fields=["workspace", "user", "-created_at"], name="notification_inbox"),
                            models.Index(condition=models.Q(("is_alert", True), ("mailed_at", None)), fields=["created_at"], name="notification_to_mail"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Membership",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        (
                            "role",
                            models.CharField(choices=[("owner", "Owner"), ("admin", "Admin"), ("editor", "Editor"), ("reviewer", "Reviewer"), ("viewer", "Viewer"), ("guest", "Guest")], max_length=10),
                        ),
                        ("created_at", models.DateTimeField(default=lib.clock.now, editable=False)),
                        ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="accounts.workspace")),
                    ],
                    options={"ordering": ["created_at"], "constraints": [models.UniqueConstraint(fields=("user", "workspace"), name="one_membership_per_workspace")]},
                ),
                migrations.CreateModel(
                    name="Invitation",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("email", models.EmailField(max_length=254)),
                        (
                            "role",
                            models.CharField(choices=[("owner", "Owner"), ("admin", "Admin"), ("editor", "Editor"), ("reviewer", "Reviewer"), ("viewer", "Viewer"), ("guest", "Guest")], max_length=10),
                        ),
                        ("campaign_id", models.UUIDField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now, editable=False)),
                        ("expires_at", models.DateTimeField()),
                        ("accepted_at", models.DateTimeField(blank=True, null=True)),
                        ("invited_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="accounts.workspace")),
                    ],
                    options={
                        "ordering": ["-created_at"],
                        "constraints": [models.UniqueConstraint(condition=models.Q(("accepted_at", None)), fields=("workspace", "email"), name="one_open_invitation_per_address")],
                    },
                ),
                migrations.CreateModel(
                    name="IdempotencyKey",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("key", models.CharField(max_length=200)),
                        ("caller", models.CharField(max_length=60)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("status", models.PositiveSmallIntegerField(default=0)),
                        ("body", models.JSONField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"constraints": [models.UniqueConstraint(fields=("workspace", "caller", "key"), name="idempotency_key_once")]},
                ),
                migrations.CreateModel(
                    name="Switch",
                    fields=[
                        ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ("is_on", models.BooleanField(default=False)),
                        ("reason", models.CharField(blank=True, max_length=200)),
                        ("changed_by", models.CharField(blank=True, max_length=120)),
                        ("changed_at", models.DateTimeField(default=lib.clock.now)),
                    ],
                    options={"verbose_name_plural": "switches"},
                ),
                migrations.CreateModel(
                    name="UsageEntry",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("key", models.CharField(max_length=120)),
                        ("kind", models.CharField(max_length=40)),
                        ("amount_micro", models.PositiveBigIntegerField()),
                        ("status", models.CharField(choices=[("reserved", "Reserved"), ("settled", "Settled"), ("released", "Released")], default="reserved", max_length=8)),
                        ("month", models.DateField()),
                        ("campaign_id", models.UUIDField(null=True)),
                        ("connection_id", models.UUIDField(null=True)),
                        ("object_id", models.UUIDField(null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("settled_at", models.DateTimeField(null=True)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("scopes", models.JSONField(default=list)),
                    ],
                    options={
                        "verbose_name_plural": "usage entries",
                        "ordering": ["-created_at"],
                        "indexes": [models.Index(fields=["workspace", "month", "kind"], name="usage_month"), models.Index(fields=["workspace", "campaign_id"], name="usage_campaign")],
                        "constraints": [models.UniqueConstraint(fields=("workspace", "key"), name="usage_once")],
                    },
                ),
                migrations.CreateModel(
                    name="UsageTotal",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("scope", models.CharField(max_length=60)),
                        ("spent_micro", models.PositiveBigIntegerField(default=0)),
                        ("reserved_micro", models.PositiveBigIntegerField(default=0)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("warned_cap_micro", models.PositiveBigIntegerField(default=0)),
                        ("warned_percent", models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={"constraints": [models.UniqueConstraint(fields=("workspace", "scope"), name="usage_total_once")]},
                ),
                migrations.CreateModel(name="RateCell", fields=[("key", models.CharField(max_length=64, primary_key=True, serialize=False)), ("tat", models.DateTimeField())]),
                migrations.CreateModel(
                    name="ServiceClient",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=80)),
                        ("prefix", models.CharField(editable=False, max_length=12)),
                        ("key_hash", models.CharField(editable=False, max_length=64, unique=True)),
                        ("is_active", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now, editable=False)),
                        ("last_used_at", models.DateTimeField(blank=True, null=True)),
                        ("owner", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                    ],
                    options={"ordering": ["name"]},
                ),
                migrations.CreateModel(
                    name="ServiceTenant",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("external_id", models.CharField(max_length=120)),
                        ("revision", models.PositiveBigIntegerField(default=0)),
                        ("is_active", models.BooleanField(default=True)),
                        ("data", models.JSONField(default=dict)),
                        ("synced_at", models.DateTimeField(default=lib.clock.now)),
                        ("client", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="tenants", to="accounts.serviceclient")),
                        ("workspace", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="service_tenant", to="accounts.workspace")),
                    ],
                    options={"constraints": [models.UniqueConstraint(fields=("client", "external_id"), name="service_tenant_once")]},
                ),
            ]
        ),
        SecureTenantTables("AuditEntry", "AuditDetail", "AuditHead", "Event", "Notification", "IdempotencyKey", "ApiKey:key_hash", "UsageEntry", "UsageTotal"),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION audit_is_append_only() CASCADE"),
    ]
