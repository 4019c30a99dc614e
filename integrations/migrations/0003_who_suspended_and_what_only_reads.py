from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_secure")]

    operations = [
        migrations.AddField(
            model_name="mcpserver",
            name="suspended_by",
            field=models.CharField(
                blank=True,
                choices=[("person", "Its person"), ("admin", "An admin"), ("staff", "Staff")],
                db_default="",
                default="",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="outsideserver",
            name="read_only",
            field=models.JSONField(default=list, db_default=models.Value([], models.JSONField())),
        ),
    ]
