from django.db import migrations

from accounts.tenancy import SecureTenantTables

# What was told and what was done stays as it was; an erasure that says so may black out a person.
WRITTEN_ONCE = """
CREATE FUNCTION agents_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('app.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is written once', TG_TABLE_NAME;
END $$;
CREATE TRIGGER written_once BEFORE UPDATE ON agents_step
    FOR EACH ROW EXECUTE FUNCTION agents_written_once();
CREATE TRIGGER written_once BEFORE UPDATE ON agents_promptversion
    FOR EACH ROW WHEN (
        (OLD.number, OLD.body, OLD.config, OLD.variables, OLD.sha256, OLD.message, OLD.cloned_from)
        IS DISTINCT FROM
        (NEW.number, NEW.body, NEW.config, NEW.variables, NEW.sha256, NEW.message, NEW.cloned_from)
        OR OLD.rolled_back_from IS DISTINCT FROM NEW.rolled_back_from
    ) EXECUTE FUNCTION agents_written_once();
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial"), ("social", "0006_origin"), ("compliance", "0005_secure_guard")]
    operations = [
        SecureTenantTables(
            "AISettings",
            "ProviderKey",
            "ModelCall",
            "Assistant",
            "PromptVersion",
            "PromptLabel",
            "PromptTemplate",
            "Thread",
            "Run",
            "Step",
            "Interrupt",
            "Effect",
            "Message",
            "MemoryBlock",
            "MemoryBlockVersion",
            "BrandClaim",
            "MemoryItem",
            "Tombstone",
            "Document",
            "Chunk",
            "Consolidation",
            "Score",
            "Dataset",
            "DatasetItem",
            "Replay",
        ),
        migrations.RunSQL(WRITTEN_ONCE, "DROP FUNCTION agents_written_once() CASCADE"),
    ]
