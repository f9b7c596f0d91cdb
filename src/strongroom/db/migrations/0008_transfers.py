"""Transfers, and the digests that they report."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two tables."""

    dependencies = [
        ('strongroom', '0007_home_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('direction', models.CharField(choices=[('upload', 'upload'), ('download', 'download')], max_length=40)),
                ('label', models.CharField(blank=True, max_length=200)),
                ('session', models.CharField(max_length=64, unique=True)),
                ('opened_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, choices=[('closed', 'closed'), ('expired', 'expired'), ('finalized', 'finalized'), ('deleted', 'deleted'), ('withdrawn', 'withdrawn'), ('lost', 'lost')], default='', max_length=40)),
                ('file_count', models.BigIntegerField(null=True)),
                ('size_bytes', models.BigIntegerField(null=True)),
                ('problem_count', models.BigIntegerField(null=True)),
                ('manifest_sha256', models.CharField(blank=True, max_length=64)),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transfers', to='strongroom.dataset')),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ObjectDigest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.TextField()),
                ('size_bytes', models.BigIntegerField()),
                ('etag', models.CharField(max_length=100)),
                ('sha256', models.CharField(max_length=64)),
                ('recorded_at', models.DateTimeField()),
                ('dataset', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='digests', to='strongroom.dataset')),
                ('transfer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='strongroom.transfer')),
            ],
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['dataset', 'opened_at', 'id'], name='strongroom__dataset_2684d8_idx'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['expires_at'], name='transfer_expiry'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['person'], name='transfer_person'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['upload', 'download'])), name='transfer_direction_known'),
        ),
        migrations.AddConstraint(
            model_name='objectdigest',
            constraint=models.UniqueConstraint(fields=('dataset', 'key'), name='one_digest_per_key'),
        ),
    ]
