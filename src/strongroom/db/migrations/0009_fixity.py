"""Digests and fixity checks; originals that were finalized before get theirs from now on."""

import django.db.models.deletion
import strongroom.core.vocabulary
import uuid
from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def _due(apps: Any, schema_editor: Any) -> None:
    originals = apps.get_model("strongroom", "Dataset").objects.filter(kind="original", state="finalized")
    originals.update(fixity_due_at=timezone.now())


class Migration(migrations.Migration):
    """Three tables, two columns."""

    dependencies = [
        ('strongroom', '0008_transfers'),
    ]

    operations = [
        migrations.CreateModel(
            name='DigestList',
            fields=[
                ('manifest', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='digests', serialize=False, to='strongroom.manifest')),
                ('object_key', models.CharField(max_length=200)),
                ('digests_sha256', models.CharField(max_length=64)),
                ('bagit_sha256', models.CharField(max_length=64)),
                ('file_count', models.BigIntegerField()),
                ('receipt', models.TextField()),
                ('signature', models.TextField()),
                ('made_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='FixityCheck',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('completes_digests', models.BooleanField(default=False)),
                ('asked_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('reading', 'reading'), ('passed', 'passed'), ('failed', 'failed'), ('stopped', 'stopped')], default=strongroom.core.vocabulary.CheckState['WAITING'], max_length=40)),
                ('ended_at', models.DateTimeField(null=True)),
                ('objects_done', models.BigIntegerField(default=0)),
                ('read_count', models.BigIntegerField(default=0)),
                ('read_bytes', models.BigIntegerField(default=0)),
                ('pieces', models.PositiveIntegerField(default=0)),
                ('difference_count', models.BigIntegerField(default=0)),
                ('next_at', models.DateTimeField(null=True)),
                ('last_error', models.TextField(blank=True)),
                ('told_at', models.DateTimeField(null=True)),
                ('lease', models.UUIDField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FixityDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.BigIntegerField()),
                ('key', models.TextField()),
                ('damage', models.CharField(choices=[('missing', 'missing'), ('altered', 'altered'), ('unreadable', 'unreadable')], max_length=40)),
                ('expected', models.CharField(blank=True, max_length=80)),
                ('found', models.CharField(blank=True, max_length=80)),
                ('detail', models.TextField(blank=True)),
                ('found_at', models.DateTimeField()),
                ('sha256', models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name='dataset',
            name='damaged_objects',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='dataset',
            name='fixity_due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(condition=models.Q(('fixity_due_at__isnull', False)), fields=['fixity_due_at'], name='dataset_fixity_due'),
        ),
        migrations.AddIndex(
            model_name='dataset',
            index=models.Index(condition=models.Q(('damaged_objects__gt', 0)), fields=['id'], name='dataset_damaged'),
        ),
        migrations.AddField(
            model_name='fixitycheck',
            name='asked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='fixitycheck',
            name='dataset',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fixity_checks', to='strongroom.dataset'),
        ),
        migrations.AddField(
            model_name='fixitycheck',
            name='manifest',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fixity_checks', to='strongroom.manifest'),
        ),
        migrations.AddField(
            model_name='fixitydifference',
            name='check_run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='strongroom.fixitycheck'),
        ),
        migrations.AddIndex(
            model_name='fixitycheck',
            index=models.Index(fields=['dataset', '-asked_at'], name='strongroom__dataset_404a22_idx'),
        ),
        migrations.AddIndex(
            model_name='fixitycheck',
            index=models.Index(condition=models.Q(('next_at__isnull', False)), fields=['next_at'], name='fixity_check_next'),
        ),
        migrations.AddConstraint(
            model_name='fixitycheck',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'reading', 'passed', 'failed', 'stopped'])), name='fixitycheck_state_known'),
        ),
        migrations.AddConstraint(
            model_name='fixitycheck',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('dataset',), name='one_open_fixity_check'),
        ),
        migrations.AddConstraint(
            model_name='fixitydifference',
            constraint=models.CheckConstraint(condition=models.Q(('damage__in', ['missing', 'altered', 'unreadable'])), name='fixitydifference_damage_known'),
        ),
        migrations.AddConstraint(
            model_name='fixitydifference',
            constraint=models.UniqueConstraint(fields=('check_run', 'position'), name='one_difference_an_object'),
        ),
        migrations.RunPython(_due, migrations.RunPython.noop),
    ]
