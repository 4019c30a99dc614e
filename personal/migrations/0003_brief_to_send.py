from django.db import migrations, models


class Migration(migrations.Migration):
    unsafe_because = "The table comes with the same release and is empty."
    dependencies = [("personal", "0002_secure")]

    operations = [
        migrations.AddIndex(
            model_name="brief",
            index=models.Index(fields=["created_at"], condition=models.Q(sent_at=None), name="brief_to_send"),
        ),
    ]
