import accounts.tenancy
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import lib.clock
import lib.ids
from django.conf import settings
from django.db import migrations, models

from accounts.tenancy import SecureTenantTables
from lib.tables import CreateTables

# A consent never changes. It goes only with its person, by an erasure that says so.
APPEND_ONLY = """
CREATE FUNCTION consent_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('app.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the consent ledger is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON compliance_consent
    FOR EACH ROW EXECUTE FUNCTION consent_is_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON compliance_consent
    FOR EACH STATEMENT EXECUTE FUNCTION consent_is_append_only();
"""


class Migration(migrations.Migration):
    replaces = [("compliance", "0001_initial"), ("compliance", "0002_secure"), ("compliance", "0003_publishing"), ("compliance", "0004_guard_review_privacy"), ("compliance", "0005_secure_guard")]

    initial = True

    dependencies = [("accounts", "0001_squashed_0009_tell_marks_once")]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name="Review",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=40)),
                        ("object_id", models.UUIDField()),
                        ("action_hash", models.CharField(max_length=64)),
                        ("snapshot", models.JSONField(default=dict)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("approved", "Approved"),
                                    ("rejected", "Rejected"),
                                    ("changes", "Changes requested"),
                                    ("obsolete", "Obsolete"),
                                    ("expired", "Expired"),
                                ],
                                default="waiting",
                                max_length=10,
                            ),
                        ),
                        ("requested_at", models.DateTimeField(default=lib.clock.now)),
                        ("decided_at", models.DateTimeField(null=True)),
                        ("reason", models.TextField(blank=True)),
                        ("decided_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("requested_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("claimed_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("decided_label", models.CharField(blank=True, max_length=120)),
                        ("due_at", models.DateTimeField(null=True)),
                        ("escalation_level", models.PositiveSmallIntegerField(default=0)),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("guard", models.JSONField(default=dict)),
                        ("held_at", models.DateTimeField(null=True)),
                        ("held_by_label", models.CharField(blank=True, max_length=120)),
                        ("hold_reason", models.TextField(blank=True)),
                        ("reminded_at", models.DateTimeField(null=True)),
                        ("risk", models.CharField(choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")], default="low", max_length=6)),
                        ("scopes", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                        ("decided_link", accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="compliance.reviewlink")),
                    ],
                    options={
                        "ordering": ["requested_at"],
                        "indexes": [
                            models.Index(fields=["workspace", "status", "requested_at"], name="review_queue"),
                            models.Index(condition=models.Q(("status", "waiting")), fields=["due_at"], name="review_due"),
                            models.Index(fields=["kind", "object_id"], name="review_object"),
                            django.contrib.postgres.indexes.GinIndex(fields=["scopes"], name="review_scopes"),
                        ],
                        "constraints": [models.UniqueConstraint(condition=models.Q(("status", "waiting")), fields=("workspace", "kind", "object_id"), name="one_waiting_review")],
                    },
                ),
                migrations.CreateModel(
                    name="Fingerprint",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("workspace_id", models.UUIDField()),
                        ("connection_id", models.UUIDField()),
                        ("delivery_id", models.UUIDField(unique=True)),
                        ("network", models.CharField(max_length=12)),
                        ("exact", models.CharField(max_length=64)),
                        ("bands", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                        ("signature", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                        ("is_published", models.BooleanField(default=False)),
                        ("seen_at", models.DateTimeField(default=lib.clock.now)),
                    ],
                    options={"indexes": [models.Index(fields=["network", "exact"], name="fingerprint_exact"), django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="fingerprint_bands")]},
                ),
                migrations.CreateModel(
                    name="Erasure",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("subject_kind", models.CharField(choices=[("user", "User"), ("contact", "Contact"), ("workspace", "Workspace")], max_length=9)),
                        ("subject_id", models.UUIDField()),
                        ("workspace_id", models.UUIDField(null=True)),
                        ("counts", models.JSONField(default=dict)),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                    ],
                    options={"ordering": ["-at"]},
                ),
                migrations.CreateModel(
                    name="RuleStat",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("rule", models.CharField(max_length=60)),
                        ("day", models.DateField()),
                        ("hits", models.PositiveIntegerField(default=0)),
                        ("blocked", models.PositiveIntegerField(default=0)),
                        ("approved", models.PositiveIntegerField(default=0)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"constraints": [models.UniqueConstraint(fields=("workspace", "rule", "day"), name="rule_stat_once")]},
                ),
                migrations.CreateModel(
                    name="WorkspaceTerm",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("term", models.CharField(max_length=120)),
                        ("kind", models.CharField(choices=[("block", "Never use it"), ("review", "Ask a person"), ("allow", "Always fine")], max_length=6)),
                        ("reason", models.CharField(blank=True, max_length=200)),
                        ("replacement", models.CharField(blank=True, max_length=120)),
                        ("platforms", models.JSONField(blank=True, default=list)),
                        ("valid_to", models.DateField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["kind", "term"], "constraints": [models.UniqueConstraint(fields=("workspace", "term"), name="workspace_term_once")]},
                ),
                migrations.CreateModel(
                    name="AccountHealth",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("connection_id", models.UUIDField()),
                        ("state", models.CharField(choices=[("healthy", "Healthy"), ("warned", "Warned"), ("restricted", "Restricted"), ("suspended", "Suspended")], default="healthy", max_length=10)),
                        ("score", models.FloatField(default=0)),
                        ("reasons", models.JSONField(default=list)),
                        ("forced_state", models.CharField(blank=True, choices=[("healthy", "Healthy"), ("warned", "Warned"), ("restricted", "Restricted"), ("suspended", "Suspended")], max_length=10)),
                        ("forced_reason", models.CharField(blank=True, max_length=200)),
                        ("changed_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"verbose_name_plural": "account health", "constraints": [models.UniqueConstraint(fields=("workspace", "connection_id"), name="account_health_once")]},
                ),
                migrations.CreateModel(
                    name="Contact",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(blank=True, max_length=120)),
                        ("email", models.EmailField(blank=True, max_length=254)),
                        ("network", models.CharField(blank=True, max_length=12)),
                        ("remote_id", models.CharField(blank=True, max_length=60)),
                        ("handle", models.CharField(blank=True, max_length=80)),
                        ("country", models.CharField(blank=True, max_length=2)),
                        ("language", models.CharField(blank=True, max_length=12)),
                        ("notes", models.TextField(blank=True)),
                        ("restricted_at", models.DateTimeField(null=True)),
                        ("has_gpc", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={
                        "ordering": ["-created_at"],
                        "constraints": [
                            models.UniqueConstraint(condition=models.Q(("email", ""), _negated=True), fields=("workspace", "email"), name="contact_mail_once"),
                            models.UniqueConstraint(condition=models.Q(("remote_id", ""), _negated=True), fields=("workspace", "network", "remote_id"), name="contact_account_once"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GuardDecision",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=40)),
                        ("object_id", models.UUIDField()),
                        ("action_hash", models.CharField(max_length=64)),
                        ("stage", models.CharField(choices=[("draft", "Submitted"), ("approval", "Approved"), ("send", "Sent")], max_length=8)),
                        ("verdict", models.CharField(max_length=6)),
                        ("disclosure", models.CharField(blank=True, max_length=12)),
                        ("hits", models.JSONField(default=list)),
                        ("took_us", models.PositiveIntegerField(default=0)),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={
                        "ordering": ["-at"],
                        "indexes": [models.Index(fields=["kind", "object_id", "-at"], name="guard_decision_object"), models.Index(fields=["workspace", "-at"], name="guard_decision_list")],
                    },
                ),
                migrations.CreateModel(
                    name="GuardRule",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("rule", models.CharField(max_length=60, unique=True)),
                        ("pack", models.CharField(blank=True, max_length=60)),
                        ("data", models.JSONField(default=dict)),
                        ("shipped", models.JSONField(blank=True, default=dict, editable=False)),
                        ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                        ("is_edited", models.BooleanField(default=False, editable=False, verbose_name="changed by staff")),
                        ("valid_from", models.DateField(blank=True, editable=False, null=True)),
                        ("valid_to", models.DateField(blank=True, editable=False, null=True)),
                        ("expiry_told_at", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("updated_at", models.DateTimeField(db_index=True, default=lib.clock.now, editable=False)),
                        ("updated_by", models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                    ],
                    options={"ordering": ["pack", "rule"]},
                ),
                migrations.CreateModel(
                    name="GuardSettings",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("markets", models.JSONField(blank=True, default=list)),
                        ("industry", models.CharField(blank=True, max_length=40)),
                        (
                            "pii_mode",
                            models.CharField(choices=[("detect", "Point it out"), ("mask", "Offer to mask it"), ("tokenise", "Replace it before a model sees it")], default="mask", max_length=8),
                        ),
                        ("facts", models.JSONField(blank=True, default=dict)),
                        ("sla_minutes", models.JSONField(blank=True, default=dict)),
                        ("expires_after_hours", models.PositiveIntegerField(default=336)),
                        ("updated_at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"constraints": [models.UniqueConstraint(fields=("workspace",), name="guard_settings_once")]},
                ),
                migrations.CreateModel(
                    name="HealthSignal",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("connection_id", models.UUIDField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("strike", "Strike"),
                                    ("refusal", "Refused by the network"),
                                    ("rate_limit", "Rate limit"),
                                    ("reach", "Reach fell"),
                                    ("deletion", "Deleted by the network"),
                                    ("appeal_won", "Appeal won"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("detail", models.CharField(blank=True, max_length=200)),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"indexes": [models.Index(fields=["connection_id", "at"], name="health_signal_recent")]},
                ),
                migrations.CreateModel(
                    name="LegalHold",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("subject_kind", models.CharField(choices=[("user", "User"), ("contact", "Contact"), ("workspace", "Workspace")], max_length=9)),
                        ("subject_id", models.UUIDField()),
                        ("reason", models.CharField(max_length=300)),
                        ("set_at", models.DateTimeField(default=lib.clock.now)),
                        ("released_at", models.DateTimeField(null=True)),
                        ("set_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["-set_at"]},
                ),
                migrations.CreateModel(
                    name="Notice",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("purpose", models.CharField(max_length=40)),
                        ("version", models.PositiveIntegerField()),
                        ("language", models.CharField(default="en", max_length=12)),
                        ("text", models.TextField(max_length=10000)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={
                        "ordering": ["purpose", "-version", "language"],
                        "constraints": [models.UniqueConstraint(fields=("workspace", "purpose", "version", "language"), name="notice_version_once")],
                    },
                ),
                migrations.CreateModel(
                    name="Consent",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("purpose", models.CharField(max_length=40)),
                        ("channel", models.CharField(max_length=20)),
                        ("state", models.CharField(choices=[("given", "Given"), ("withdrawn", "Withdrawn"), ("objected", "Objected")], max_length=9)),
                        ("method", models.CharField(max_length=20)),
                        ("evidence", models.JSONField(default=dict)),
                        ("recorded_by", models.CharField(blank=True, max_length=120)),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                        ("contact", accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="consents", to="compliance.contact")),
                        ("notice", accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="compliance.notice")),
                    ],
                    options={"ordering": ["at", "id"], "indexes": [models.Index(fields=["contact", "purpose", "channel", "-at"], name="consent_newest")]},
                ),
                migrations.CreateModel(
                    name="PrivacyRequest",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("export", "A copy of the data"), ("erase", "Erasure"), ("rectify", "Correction"), ("restrict", "Restriction"), ("object", "Objection")], max_length=8
                            ),
                        ),
                        ("subject_kind", models.CharField(choices=[("user", "User"), ("contact", "Contact"), ("workspace", "Workspace")], max_length=9)),
                        ("subject_id", models.UUIDField()),
                        ("subject_label", models.CharField(blank=True, max_length=200)),
                        ("law", models.CharField(choices=[("gdpr", "GDPR (30 days)"), ("ccpa", "CCPA (45 days)")], default="gdpr", max_length=4)),
                        (
                            "status",
                            models.CharField(
                                choices=[("verifying", "Identity to be checked"), ("open", "Open"), ("running", "Running"), ("done", "Done"), ("refused", "Refused")], default="verifying", max_length=9
                            ),
                        ),
                        ("details", models.JSONField(blank=True, default=dict)),
                        ("received_at", models.DateTimeField(default=lib.clock.now)),
                        ("due_at", models.DateTimeField()),
                        ("extended_because", models.CharField(blank=True, max_length=300)),
                        ("reminded_at", models.DateTimeField(null=True)),
                        ("identity_method", models.CharField(blank=True, max_length=60)),
                        ("verified_at", models.DateTimeField(null=True)),
                        ("refusal", models.CharField(blank=True, max_length=300)),
                        ("manifest", models.JSONField(blank=True, default=dict)),
                        ("file", models.CharField(blank=True, max_length=300)),
                        ("file_expires_at", models.DateTimeField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("done_at", models.DateTimeField(null=True)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("handled_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["-received_at"], "indexes": [models.Index(condition=models.Q(("status__in", ["done", "refused"]), _negated=True), fields=["due_at"], name="privacy_due")]},
                ),
                migrations.CreateModel(
                    name="ReviewEvent",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("requested", "Requested"),
                                    ("claimed", "Claimed"),
                                    ("released", "Released"),
                                    ("reminded", "Reminded"),
                                    ("escalated", "Escalated"),
                                    ("held", "Put on hold"),
                                    ("resumed", "Taken off hold"),
                                    ("commented", "Commented"),
                                    ("approved", "Approved"),
                                    ("rejected", "Rejected"),
                                    ("changes", "Changes requested"),
                                    ("obsolete", "Withdrawn"),
                                    ("expired", "Expired"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("label", models.CharField(blank=True, max_length=120)),
                        ("text", models.TextField(blank=True)),
                        ("at", models.DateTimeField(default=lib.clock.now)),
                        ("review", accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="events", to="compliance.review")),
                        ("user", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["at", "id"]},
                ),
                migrations.CreateModel(
                    name="ReviewLink",
                    fields=[
                        ("id", models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("token_hash", models.CharField(max_length=64, unique=True)),
                        ("name", models.CharField(max_length=80)),
                        ("email", models.EmailField(blank=True, max_length=254)),
                        ("scope_id", models.UUIDField()),
                        ("scope_label", models.CharField(max_length=200)),
                        ("can_decide", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField(default=lib.clock.now)),
                        ("expires_at", models.DateTimeField()),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("last_used_at", models.DateTimeField(null=True)),
                        ("created_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
                        ("workspace", models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace")),
                    ],
                    options={"ordering": ["-created_at"]},
                ),
            ]
        ),
        SecureTenantTables(
            "ReviewLink:token_hash",
            "Review",
            "WorkspaceTerm",
            "GuardSettings",
            "GuardDecision",
            "RuleStat",
            "AccountHealth",
            "HealthSignal",
            "ReviewEvent",
            "Contact",
            "Notice",
            "Consent",
            "PrivacyRequest",
            "LegalHold",
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION consent_is_append_only() CASCADE"),
    ]
