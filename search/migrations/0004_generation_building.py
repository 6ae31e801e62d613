import io
import json

import numpy as np
from django.db import migrations, models


def note_dimensions(apps, schema_editor):
    """The length of vectors was read off the projection so far."""
    Generation = apps.get_model("search", "Generation")
    for generation in Generation.objects.exclude(projection_data=b""):
        with np.load(io.BytesIO(bytes(generation.projection_data)), allow_pickle=False) as arrays:
            lengths = [
                arrays[f"matrix/{name}"].shape[1] if f"matrix/{name}" in arrays else len(arrays[f"centre/{name}"])
                for name in json.loads(arrays["names"].tobytes())
            ]
        Generation.objects.filter(pk=generation.pk).update(dimension=sum(lengths) + 1)


class Migration(migrations.Migration):
    dependencies = [("search", "0003_generation_life")]

    operations = [
        migrations.RemoveField("generation", "seconds_per_image"),
        migrations.AddField(
            "generation",
            "seconds_per_document",
            models.FloatField(blank=True, help_text="to write one; a moving average", null=True),
        ),
        migrations.AddField(
            "generation",
            "seconds_per_embedding",
            models.FloatField(blank=True, help_text="to make one; a moving average", null=True),
        ),
        migrations.AddField(
            "generation",
            "preparing",
            models.BooleanField(default=False, help_text="the sample for its projection is being embedded"),
        ),
        migrations.AddField(
            "generation",
            "dimension",
            models.PositiveIntegerField(default=0, help_text="length of the indexed vectors"),
        ),
        migrations.RunPython(note_dimensions, migrations.RunPython.noop),
    ]
