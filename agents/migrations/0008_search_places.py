from django.db import migrations, models

# Large values as they are: what is read at every search should not have to be unpacked first.
AS_IS = """
ALTER TABLE agents_searchterm ALTER COLUMN places SET STORAGE EXTERNAL, ALTER COLUMN entries SET STORAGE EXTERNAL;
ALTER TABLE agents_searchscope ALTER COLUMN members SET STORAGE EXTERNAL;
"""
# A search that meets many rows without an index asks for it: it is made anew with the places.
EMPTY = """
SELECT set_config('app.all_workspaces', 'on', true);
DELETE FROM agents_searchterm;
DELETE FROM agents_searchscope;
UPDATE agents_memoryitem SET is_indexed = false WHERE is_indexed;
UPDATE agents_chunk SET is_indexed = false WHERE is_indexed;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT set_config('app.all_workspaces', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0007_evaluation")]

    operations = [
        migrations.RunSQL(EMPTY, EMPTY),
        migrations.RemoveField("searchterm", "rows"),
        migrations.AddField("searchterm", "places", models.BinaryField(default=b""), preserve_default=False),
        migrations.AddField("searchterm", "entries", models.BinaryField(default=b""), preserve_default=False),
        migrations.AddField("searchscope", "members", models.BinaryField(default=b"")),
        migrations.RunSQL(AS_IS, migrations.RunSQL.noop),
    ]
