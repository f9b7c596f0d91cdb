"""Identity providers: who people are there, what groups are mapped to, and which roles came from one."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two tables, three columns."""

    dependencies = [
        ('strongroom', '0004_sign_in'),
    ]

    operations = [
        migrations.CreateModel(
            name='GroupMapping',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('oidc', 'oidc'), ('saml', 'saml')], max_length=40)),
                ('group', models.CharField(max_length=400)),
                ('role', models.CharField(choices=[('owner', 'owner'), ('steward', 'steward'), ('researcher', 'researcher'), ('auditor', 'auditor')], max_length=40, null=True)),
                ('staff_role', models.CharField(choices=[('administrator', 'administrator'), ('support', 'support')], max_length=40, null=True)),
                ('outer', models.CharField(blank=True, max_length=400)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('space', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='group_mappings', to='strongroom.space')),
            ],
        ),
        migrations.AddField(
            model_name='membership',
            name='mapping',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='strongroom.groupmapping'),
        ),
        migrations.AddField(
            model_name='person',
            name='staff_mapping',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='staff', to='strongroom.groupmapping'),
        ),
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('oidc', 'oidc'), ('saml', 'saml')], max_length=40)),
                ('issuer', models.CharField(max_length=400)),
                ('subject', models.CharField(max_length=400)),
                ('email', models.CharField(max_length=254)),
                ('groups', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField()),
                ('lapsed_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='browsersession',
            name='identity',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='strongroom.identity'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(fields=('kind', 'group', 'space'), name='one_role_per_group_and_space'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(condition=models.Q(('staff_role__isnull', False)), fields=('kind', 'group'), name='one_staff_role_per_group'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(condition=models.Q(('outer', ''), _negated=True), fields=('kind', 'group', 'outer'), name='nested_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outer', ''), ('role__isnull', False), ('space__isnull', False), ('staff_role__isnull', True)), models.Q(('outer', ''), ('role__isnull', True), ('space__isnull', True), ('staff_role__isnull', False)), models.Q(('role__isnull', True), ('space__isnull', True), ('staff_role__isnull', True), models.Q(('outer', ''), _negated=True)), _connector='OR'), name='mapped_to_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['oidc', 'saml'])), name='groupmapping_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'steward', 'researcher', 'auditor'])), name='groupmapping_role_known'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.CheckConstraint(condition=models.Q(('staff_role__in', ['administrator', 'support'])), name='groupmapping_staff_role_known'),
        ),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.UniqueConstraint(fields=('kind', 'issuer', 'subject'), name='one_person_per_identity'),
        ),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['oidc', 'saml'])), name='identity_kind_known'),
        ),
    ]
