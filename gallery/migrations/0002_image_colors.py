from django.db import migrations, models


def colors_from_swatches(apps, schema_editor):
    """What is known without opening files: the largest colour. A replaced file brings all of its own."""
    images = apps.get_model("gallery", "Image").objects.using(schema_editor.connection.alias)
    for swatch in images.order_by().values_list("swatch", flat=True).distinct():
        images.filter(swatch=swatch).update(colors=[swatch])


class Migration(migrations.Migration):
    dependencies = [("gallery", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="image",
            name="colors",
            field=models.JSONField(
                blank=True, default=list, help_text="colour classes of the subject, the largest first"
            ),
        ),
        migrations.RunPython(colors_from_swatches, migrations.RunPython.noop),
    ]
