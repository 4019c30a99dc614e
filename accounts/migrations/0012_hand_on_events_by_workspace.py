from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_secure_meters")]

    operations = [
        migrations.RemoveIndex("event", "event_to_hand_on"),
        migrations.AddIndex(
            "event",
            models.Index(
                fields=["workspace", "created_at", "id"],
                condition=models.Q(is_handed_on=False),
                name="event_to_hand_on",
            ),
        ),
    ]
