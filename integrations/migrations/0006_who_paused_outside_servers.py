from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0005_note_what_search_has_to_read")]

    operations = [
        migrations.AddField(
            model_name="outsideserver",
            name="pause_text",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="outsideserver",
            name="paused_by",
            field=models.CharField(
                blank=True,
                choices=[("admin", "An admin"), ("staff", "Staff")],
                db_default="",
                default="",
                max_length=5,
            ),
        ),
    ]
