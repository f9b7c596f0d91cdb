"""How much data sets hold, and how they grew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One table, and when each data set is counted."""

    dependencies = [
        ('strongroom', '0009_fixity'),
    ]

    operations = [
        migrations.CreateModel(
            name='DatasetSize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('object_count', models.BigIntegerField()),
                ('size_bytes', models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='dataset',
            name='measure_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='measured_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='measured_bytes',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='measured_objects',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(fields=['state', 'measure_at'], name='dataset_measure'),
        ),
        migrations.AddField(
            model_name='datasetsize',
            name='dataset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sizes', to='strongroom.dataset'),
        ),
        migrations.AddConstraint(
            model_name='datasetsize',
            constraint=models.UniqueConstraint(fields=('dataset', 'day'), name='dataset_size_once_a_day'),
        ),
    ]
