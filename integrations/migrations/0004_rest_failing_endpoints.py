from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0003_who_suspended_and_what_only_reads")]

    operations = [
        migrations.AddField("webhookendpoint", "failing_since", models.DateTimeField(null=True)),
        migrations.AddField("webhookendpoint", "rest_until", models.DateTimeField(null=True)),
        migrations.RemoveIndex("webhookdelivery", "webhook_due"),
        migrations.AddIndex(
            "webhookdelivery",
            models.Index(fields=["endpoint", "due_at", "id"], condition=models.Q(status="pending"), name="webhook_due"),
        ),
        migrations.AddIndex(
            "webhookdelivery",
            models.Index(fields=["lease_until"], condition=models.Q(status="pending"), name="webhook_lease"),
        ),
    ]
