from django.db import migrations, models


def name_the_quality(apps, schema_editor):
    """What was made so far is of the qualities that pages use."""
    renditions = apps.get_model("gallery", "Rendition").objects
    for format, quality in (("webp", 80), ("jpeg", 82)):
        renditions.filter(format=format).update(quality=quality)


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0007_products'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='rendition',
            name='rendition_once',
        ),
        migrations.RemoveConstraint(
            model_name='rendition',
            name='rendition_format_known',
        ),
        migrations.AddField(
            model_name='image',
            name='original_missing_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='when its original was found missing from storage', null=True),
        ),
        migrations.AddField(
            model_name='rendition',
            name='quality',
            field=models.PositiveSmallIntegerField(default=100, help_text='1 to 100, as encoders have it'),
        ),
        migrations.RunPython(name_the_quality, migrations.RunPython.noop),
        migrations.AddField(
            model_name='rendition',
            name='ssim',
            field=models.FloatField(blank=True, help_text='likeness to the scaled original, 1 for the same; of exported files alone', null=True),
        ),
        migrations.AlterField(
            model_name='rendition',
            name='format',
            field=models.CharField(choices=[('webp', 'WebP'), ('jpeg', 'JPEG'), ('avif', 'AVIF'), ('png', 'PNG'), ('webp-lossless', 'WebP, lossless')], max_length=16),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.UniqueConstraint(fields=('image', 'format', 'width', 'quality'), name='rendition_once'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('format__in', ['webp', 'jpeg', 'avif', 'png', 'webp-lossless'])), name='rendition_format_known'),
        ),
        migrations.AddConstraint(
            model_name='rendition',
            constraint=models.CheckConstraint(condition=models.Q(('quality__gte', 1), ('quality__lte', 100)), name='rendition_quality_in_range'),
        ),
    ]
