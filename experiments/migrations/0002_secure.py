from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]

    operations = [SecureTenantTables("Experiment", "Arm", "Epoch", "Unit", "Look")]
