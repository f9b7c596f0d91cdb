"""How long the files are that are written from a list of digests, so that an answer can say it before it begins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Unknown of the lists that there are: to count it, each would have to be read."""

    dependencies = [
        ('strongroom', '0014_digests_in_order'),
    ]

    operations = [
        migrations.AddField('digestlist', 'bagit_bytes', models.BigIntegerField(null=True)),
        migrations.AddField('digestlist', 'sums_bytes', models.BigIntegerField(null=True)),
    ]
