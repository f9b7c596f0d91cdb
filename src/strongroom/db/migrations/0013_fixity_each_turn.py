"""A check notes no more which list it has proved: each of its turns proves the list that it goes by."""

from django.db import migrations


class Migration(migrations.Migration):
    """What is under way goes on."""

    dependencies = [
        ('strongroom', '0012_fixity_proved'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='fixitycheck',
            name='proved_sha256',
        ),
    ]
