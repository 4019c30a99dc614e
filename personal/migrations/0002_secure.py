from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("personal", "0001_initial")]

    operations = [
        SecureTenantTables(
            "Preference",
            "Watch",
            "Brief",
        ),
    ]
