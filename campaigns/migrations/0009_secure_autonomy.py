from django.db import migrations

from accounts.tenancy import SecureTenantKeys, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_autonomy_and_markets")]
    operations = [SecureTenantTables("AutonomyPolicy"), SecureTenantKeys("Delivery.approved_policy")]
