from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_plans_and_meters")]

    operations = [
        SecureTenantTables(
            "Meter",
        ),
        # What happened before there were webhooks is nobody's news. A table behind a policy needs the scope.
        migrations.RunSQL(
            "SELECT set_config('app.all_workspaces', 'on', true); "
            "UPDATE accounts_event SET is_handed_on = true WHERE NOT is_handed_on; "
            "SELECT set_config('app.all_workspaces', '', true);",
            migrations.RunSQL.noop,
        ),
    ]
