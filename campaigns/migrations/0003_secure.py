from django.db import migrations

from accounts.tenancy import SecureTenantTables


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_initial"), ("social", "0002_secure")]
    operations = [
        # Referenced tables come before those that reference them.
        SecureTenantTables(
            "Campaign",
            "MediaAsset",
            "Post",
            "PostPart",
            "PartMedia",
            "Delivery",
            "LivePart",
            "Attempt",
            "MediaUpload",
            "Slot",
            "Source",
            "SourceConnection",
            "SourceItem",
        )
    ]
