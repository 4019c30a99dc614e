from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0010_secure_periodic_tasks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="periodictask",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False)), fields=["workspace"], name="periodic_leased"
            ),
        ),
    ]
