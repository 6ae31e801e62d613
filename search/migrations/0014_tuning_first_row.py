from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0013_quality_runs_and_judgements'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='tuning',
            name='tuning_verdict_known',
        ),
        migrations.AlterField(
            model_name='tuning',
            name='verdict',
            field=models.CharField(choices=[('better', 'Better'), ('not-better', 'Not Better'), ('first-row-worse', 'First Row Worse'), ('unseen-worse', 'Unseen Worse')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='tuning',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['better', 'not-better', 'first-row-worse', 'unseen-worse'])), name='tuning_verdict_known'),
        ),
    ]
