"""A check notes no more which list it has proved: each of its turns proves the list that it goes by, and its pieces."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """What completes digests now begins anew: what its pieces sum up to was not noted."""

    dependencies = [
        ('strongroom', '0012_fixity_proved'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='fixitycheck',
            name='proved_sha256',
        ),
        migrations.AddField(
            model_name='fixitycheck',
            name='pieces_sha256',
            field=models.CharField(blank=True, default='', max_length=64),
            preserve_default=False,
        ),
        migrations.RunSQL(
            """
            DELETE FROM strongroom_fixitydifference WHERE check_run_id IN
                (SELECT id FROM strongroom_fixitycheck WHERE completes_digests AND ended_at IS NULL)
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            """
            UPDATE strongroom_fixitycheck
            SET objects_done = 0, read_count = 0, read_bytes = 0, pieces = 0, difference_count = 0
            WHERE completes_digests AND ended_at IS NULL
            """,
            migrations.RunSQL.noop,
        ),
    ]
