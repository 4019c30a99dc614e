from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0010_plans_and_inbox")]
    operations = [SecureTenantTables("Plan", "PlanLine", "Origin", "Conversation", "InboxMessage", "InboxCursor")]
