"""A check knows which list it has proved, and proves another one before it goes on with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """What is under way has proved none: it does so once more."""

    dependencies = [
        ('strongroom', '0011_fixity_beside'),
    ]

    operations = [
        migrations.AddField(
            model_name='fixitycheck',
            name='proved_sha256',
            field=models.CharField(blank=True, default='', max_length=64),
            preserve_default=False,
        ),
    ]
