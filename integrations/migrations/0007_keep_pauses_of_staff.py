from django.db import migrations

from accounts.scope import all_workspaces_scope

KEEP = """
UPDATE integrations_outsideserver SET
    paused_by = CASE WHEN problem_text LIKE 'Staff paused it.%' THEN 'staff' ELSE 'admin' END,
    problem_text = CASE WHEN problem_text LIKE 'Staff paused it.%' THEN '' ELSE problem_text END
WHERE NOT is_active
"""


def keep_pauses(apps, schema_editor):
    with all_workspaces_scope("who paused outside servers"), schema_editor.connection.cursor() as cursor:
        cursor.execute(KEEP)


class Migration(migrations.Migration):
    dependencies = [("integrations", "0006_who_paused_outside_servers")]

    operations = [migrations.RunPython(keep_pauses, migrations.RunPython.noop)]
