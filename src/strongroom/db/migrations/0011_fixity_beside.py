"""A whole check may go on beside the one that completes the digests, which waits for what is damaged."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One open check of each kind, where there was one of any."""

    dependencies = [
        ('strongroom', '0010_growth'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='fixitycheck',
            name='one_open_fixity_check',
        ),
        migrations.AddConstraint(
            model_name='fixitycheck',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('dataset', 'completes_digests'), name='one_open_check_of_a_kind'),
        ),
    ]
