from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_publishing")]
    operations = [SecureTenantTables("UsageEntry", "UsageTotal")]
