from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("agents", "0009_periodic_tasks")]

    operations = [
        SecureTenantTables(
            "PeriodicTask",
            "PeriodicTurn",
        ),
    ]
