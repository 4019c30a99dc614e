from django.db import migrations

# The trail of a workspace goes with it, and only then: its grace period is over and the deletion names it.
FUNCTION = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.workspace_id::text = current_setting('app.deleting_workspace', true) AND EXISTS (
        SELECT 1 FROM accounts_workspace w WHERE w.id = OLD.workspace_id AND w.deletes_at <= statement_timestamp()
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit entries are append-only';
END $$;
"""
FORMER = """
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_rates_and_workspace_end")]
    operations = [migrations.RunSQL(FUNCTION, FORMER)]
