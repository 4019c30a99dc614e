from django.db import migrations

from accounts.tenancy import SecureTenantKeys, SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_publishing"), ("social", "0004_secure_publishing")]
    operations = [SecureTenantTables("LiveChange","Recurrence","Import","PublishingLog","HourlyRollup","LinkCheck","ComposerDraft","PostVersion","Snippet","ReviewPrompt:token"), SecureTenantKeys("Post.source")]
