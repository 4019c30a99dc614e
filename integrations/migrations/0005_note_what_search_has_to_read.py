from django.db import migrations

from accounts.scope import all_workspaces_scope

# A row that is due already is touched: its lock keeps the indexer away until this change can be seen.
FUNCTIONS = """
CREATE FUNCTION search_note_due(workspace uuid, what text, object uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO integrations_searchdue (id, workspace_id, kind, object_id)
    VALUES (gen_random_uuid(), workspace, what, object)
    ON CONFLICT (workspace_id, kind, object_id) DO UPDATE SET at = now()
$$;
CREATE FUNCTION search_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_note_due(NEW.workspace_id, TG_ARGV[0], NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION search_note_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_note_due(NEW.workspace_id, 'post', NEW.post_id);
    RETURN NULL;
END $$;
CREATE FUNCTION search_note_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM integrations_searchentry
    WHERE workspace_id = OLD.workspace_id AND kind = TG_ARGV[0] AND object_id = OLD.id;
    DELETE FROM integrations_searchdue
    WHERE workspace_id = OLD.workspace_id AND kind = TG_ARGV[0] AND object_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_insert AFTER INSERT ON campaigns_post
    FOR EACH ROW EXECUTE FUNCTION search_note_change('post');
CREATE TRIGGER search_update AFTER UPDATE ON campaigns_post FOR EACH ROW
    WHEN ((OLD.title, OLD.tags, OLD.campaign_id, OLD.revision) IS DISTINCT FROM
          (NEW.title, NEW.tags, NEW.campaign_id, NEW.revision))
    EXECUTE FUNCTION search_note_change('post');
CREATE TRIGGER search_delete AFTER DELETE ON campaigns_post
    FOR EACH ROW EXECUTE FUNCTION search_note_end('post');
CREATE TRIGGER search_part AFTER INSERT ON campaigns_postpart
    FOR EACH ROW EXECUTE FUNCTION search_note_part();
CREATE TRIGGER search_part_update AFTER UPDATE ON campaigns_postpart FOR EACH ROW
    WHEN (OLD.text IS DISTINCT FROM NEW.text) EXECUTE FUNCTION search_note_part();
CREATE TRIGGER search_insert AFTER INSERT ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION search_note_change('campaign');
CREATE TRIGGER search_update AFTER UPDATE ON campaigns_campaign FOR EACH ROW
    WHEN ((OLD.name, OLD.goal, OLD.brief) IS DISTINCT FROM (NEW.name, NEW.goal, NEW.brief))
    EXECUTE FUNCTION search_note_change('campaign');
CREATE TRIGGER search_delete AFTER DELETE ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION search_note_end('campaign');
"""
BACK = """
DROP TRIGGER search_insert ON campaigns_post;
DROP TRIGGER search_update ON campaigns_post;
DROP TRIGGER search_delete ON campaigns_post;
DROP TRIGGER search_part ON campaigns_postpart;
DROP TRIGGER search_part_update ON campaigns_postpart;
DROP TRIGGER search_insert ON campaigns_campaign;
DROP TRIGGER search_update ON campaigns_campaign;
DROP TRIGGER search_delete ON campaigns_campaign;
DROP FUNCTION search_note_end;
DROP FUNCTION search_note_part;
DROP FUNCTION search_note_change;
DROP FUNCTION search_note_due;
"""
EXISTING = """
INSERT INTO integrations_searchdue (id, workspace_id, kind, object_id)
SELECT gen_random_uuid(), workspace_id, '{kind}', id FROM {table}
ON CONFLICT (workspace_id, kind, object_id) DO NOTHING
"""


def note_existing(apps, schema_editor):
    """The task reads them in the hours that follow."""
    with all_workspaces_scope("what search has to read first"), schema_editor.connection.cursor() as cursor:
        for kind, table in (("post", "campaigns_post"), ("campaign", "campaigns_campaign")):
            cursor.execute(EXISTING.format(kind=kind, table=table))


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0004_rest_failing_endpoints"),
        ("campaigns", "0011_secure_plans_and_inbox"),
    ]

    operations = [
        migrations.RunSQL(FUNCTIONS, BACK),
        migrations.RunPython(note_existing, migrations.RunPython.noop),
    ]
