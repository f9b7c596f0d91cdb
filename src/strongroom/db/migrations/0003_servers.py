"""Servers and grants; the local user of a person on servers, and when a token last proved a second factor."""

import django.db.models.deletion
import strongroom.core.vocabulary
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two tables and two columns."""

    dependencies = [
        ('strongroom', '0002_ledger'),
    ]

    operations = [
        migrations.AddField(
            model_name='person',
            name='account',
            field=models.CharField(max_length=32, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='token',
            name='mfa_proved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Server',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('created', 'created'), ('enrolled', 'enrolled')], max_length=40)),
                ('os', models.CharField(choices=[('linux', 'linux'), ('windows', 'windows')], max_length=40)),
                ('state', models.CharField(choices=[('joining', 'joining'), ('active', 'active'), ('disabled', 'disabled'), ('lapsed', 'lapsed'), ('deleted', 'deleted')], default=strongroom.core.vocabulary.ServerState['JOINING'], max_length=40)),
                ('state_reason', models.TextField(blank=True)),
                ('state_at', models.DateTimeField()),
                ('name', models.CharField(max_length=63)),
                ('description', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('join_sha256', models.CharField(blank=True, max_length=64)),
                ('join_expires_at', models.DateTimeField(null=True)),
                ('joined_at', models.DateTimeField(null=True)),
                ('public_key', models.CharField(blank=True, max_length=200)),
                ('sequence', models.BigIntegerField(default=0)),
                ('last_heartbeat_at', models.DateTimeField(null=True)),
                ('session_at', models.DateTimeField(null=True)),
                ('session_expires_at', models.DateTimeField(null=True)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('hostname', models.CharField(blank=True, max_length=255)),
                ('os_version', models.CharField(blank=True, max_length=200)),
                ('agent_version', models.CharField(blank=True, max_length=60)),
                ('mounts', models.JSONField(default=list)),
                ('ssh_host_key', models.CharField(blank=True, max_length=200)),
                ('ssh_host', models.CharField(blank=True, max_length=255)),
                ('ssh_port', models.PositiveIntegerField(null=True, unique=True)),
                ('offering', models.CharField(blank=True, max_length=60)),
                ('power', models.CharField(choices=[('running', 'running'), ('stopped', 'stopped'), ('absent', 'absent')], default=strongroom.core.vocabulary.Power['RUNNING'], max_length=40)),
                ('observed', models.CharField(choices=[('running', 'running'), ('stopped', 'stopped'), ('absent', 'absent')], default=strongroom.core.vocabulary.Power['ABSENT'], max_length=40)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('applied_revision', models.PositiveIntegerField(default=0)),
                ('is_settled', models.BooleanField(default=True)),
                ('next_try_at', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('lease', models.UUIDField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('last_error', models.TextField(blank=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='servers', to=settings.AUTH_USER_MODEL)),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='servers', to='strongroom.space')),
            ],
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end', models.CharField(blank=True, choices=[('revoked', 'revoked'), ('expired', 'expired'), ('server-deleted', 'server-deleted'), ('dataset-deleted', 'dataset-deleted')], default='', max_length=40)),
                ('end_reason', models.TextField(blank=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='strongroom.dataset')),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='strongroom.server')),
            ],
        ),
        migrations.AddIndex(
            model_name='server',
            index=models.Index(fields=['space', 'name', 'id'], name='strongroom__space_i_ad53bf_idx'),
        ),
        migrations.AddIndex(
            model_name='server',
            index=models.Index(fields=['name', 'id'], name='strongroom__name_949253_idx'),
        ),
        migrations.AddIndex(
            model_name='server',
            index=models.Index(condition=models.Q(('is_settled', False)), fields=['next_try_at'], name='server_unsettled'),
        ),
        migrations.AddIndex(
            model_name='server',
            index=models.Index(condition=models.Q(('state', 'active')), fields=['last_heartbeat_at'], name='server_heartbeat'),
        ),
        migrations.AddIndex(
            model_name='server',
            index=models.Index(condition=models.Q(('join_sha256', ''), _negated=True), fields=['join_sha256'], name='server_join'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['created', 'enrolled'])), name='server_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.CheckConstraint(condition=models.Q(('os__in', ['linux', 'windows'])), name='server_os_known'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['joining', 'active', 'disabled', 'lapsed', 'deleted'])), name='server_state_known'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.CheckConstraint(condition=models.Q(('power__in', ['running', 'stopped', 'absent'])), name='server_power_known'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.CheckConstraint(condition=models.Q(('observed__in', ['running', 'stopped', 'absent'])), name='server_observed_known'),
        ),
        migrations.AddConstraint(
            model_name='server',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'deleted'), _negated=True), fields=('space', 'name'), name='server_name_once_per_space'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['server', 'created_at'], name='strongroom__server__62e372_idx'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['dataset', 'created_at'], name='strongroom__dataset_bafed7_idx'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(condition=models.Q(('ended_at', None), ('expires_at__isnull', False)), fields=['expires_at'], name='grant_expiry'),
        ),
        migrations.AddConstraint(
            model_name='grant',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('dataset', 'server'), name='one_live_grant'),
        ),
    ]
