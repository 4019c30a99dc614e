from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_hand_on_events_by_workspace"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="billing_revision",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
    ]
