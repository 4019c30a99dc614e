from django.db import migrations

from accounts.tenancy import SecureTenantKeys, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("social", "0003_publishing")]
    operations = [SecureTenantTables("Bot", "InviteLink", "UserSession", "TelegramCode:code_hash"), SecureTenantKeys("Credential.bot")]
