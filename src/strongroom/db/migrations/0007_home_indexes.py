"""What the first page asks for among many data sets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Three indexes."""

    dependencies = [
        ('strongroom', '0006_passkeys'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(fields=['created_by', 'state', 'created_at'], name='strongroom__created_64cb82_idx'),
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(condition=models.Q(('needed_until__isnull', False)), fields=['needed_until'], name='dataset_needed'),
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(condition=models.Q(('deletion_requested_at__isnull', False)), fields=['deletion_requested_at'], name='dataset_deletion'),
        ),
    ]
