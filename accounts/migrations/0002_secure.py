from django.db import migrations

from accounts.tenancy import SecureTenantTables

APPEND_ONLY = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON accounts_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        SecureTenantTables(
            "AuditEntry", "AuditDetail", "AuditHead", "Event", "Notification", "IdempotencyKey", "ApiKey:key_hash"
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION audit_is_append_only() CASCADE"),
    ]
