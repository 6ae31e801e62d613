from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0006_history")]

    operations = [
        migrations.RenameField("queryphoto", "session_key", "visitor"),
        migrations.AlterField("queryphoto", "visitor", models.CharField(blank=True, db_index=True, max_length=40)),
    ]
