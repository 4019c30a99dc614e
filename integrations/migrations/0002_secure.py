from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]

    operations = [
        SecureTenantTables(
            "McpServer",
            "OAuthCode:code_hash",
            "McpToken:token_hash",
            "McpUsage",
            "OutsideServer",
            "WebhookEndpoint",
            "WebhookDelivery",
            "WebhookTry",
            "SearchEntry",
            "SearchDue",
        ),
    ]
