from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("social", "0001_initial"), ("accounts", "0002_secure")]
    operations = [SecureTenantTables("Connection", "NetworkApp", "Credential", "OAuthState:state_hash")]
