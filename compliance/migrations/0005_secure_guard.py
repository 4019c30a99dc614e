from django.db import migrations

from accounts.tenancy import SecureTenantKeys, SecureTenantTables

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
    dependencies = [("compliance", "0004_guard_review_privacy")]
    operations = [
        SecureTenantTables(
            "WorkspaceTerm",
            "GuardSettings",
            "GuardDecision",
            "RuleStat",
            "AccountHealth",
            "HealthSignal",
            "ReviewLink:token_hash",
            "ReviewEvent",
            "Contact",
            "Notice",
            "Consent",
            "PrivacyRequest",
            "LegalHold",
        ),
        SecureTenantKeys("Review.decided_link"),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION consent_is_append_only() CASCADE"),
    ]
