import django.db.models.deletion
import lib.clock
import lib.ids
from django.conf import settings
from django.db import migrations, models

from lib.tables import CreateTables


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0010_plans_and_meters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name='WatchValue',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('account', 'Account'), ('keyword', 'Keyword'), ('symbol', 'Symbol')], max_length=7)),
                        ('value', models.CharField(max_length=120)),
                        ('watchers', models.PositiveIntegerField(default=0)),
                        ('every_s', models.PositiveIntegerField(default=3600)),
                        ('due_at', models.DateTimeField(default=lib.clock.now)),
                        ('lease_until', models.DateTimeField(null=True)),
                        ('fence', models.PositiveIntegerField(default=0)),
                        ('last_seq', models.PositiveIntegerField(default=0)),
                        ('data', models.JSONField(default=dict)),
                        ('problem_text', models.CharField(blank=True, max_length=300)),
                        ('failures_in_row', models.PositiveSmallIntegerField(default=0)),
                        ('read_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('watchers__gt', 0)), fields=['due_at'], name='watch_due')],
                        'constraints': [models.UniqueConstraint(fields=('kind', 'value'), name='watch_value_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Brief',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('task_id', models.UUIDField(null=True)),
                        ('wanted_at', models.DateTimeField()),
                        ('title', models.CharField(max_length=160)),
                        ('language', models.CharField(default='en', max_length=5)),
                        ('data', models.JSONField(null=True)),
                        ('run_id', models.UUIDField(null=True)),
                        ('read_at', models.DateTimeField(null=True)),
                        ('sent_at', models.DateTimeField(null=True)),
                        ('archive_key', models.CharField(blank=True, max_length=200)),
                        ('archived_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-wanted_at'],
                        'indexes': [models.Index(fields=['workspace', 'user', '-wanted_at'], name='brief_list'), models.Index(condition=models.Q(('archived_at', None)), fields=['created_at'], name='brief_to_archive')],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'user', 'task_id', 'wanted_at'), name='brief_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Preference',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('language', models.CharField(default='en', max_length=5)),
                        ('interests', models.JSONField(blank=True, default=list)),
                        ('channels', models.JSONField(blank=True, default=list)),
                        ('revision', models.PositiveIntegerField(default=0)),
                        ('updated_at', models.DateTimeField(default=lib.clock.now)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'user'), name='preference_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Watch',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('label', models.CharField(blank=True, max_length=120)),
                        ('alert_percent', models.FloatField(null=True)),
                        ('seen_seq', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('value', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='personal.watchvalue')),
                    ],
                    options={
                        'verbose_name_plural': 'watches',
                        'ordering': ['created_at'],
                        'indexes': [models.Index(fields=['value'], name='watch_value')],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'user', 'value'), name='watch_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Observation',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('seq', models.PositiveIntegerField()),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('data', models.JSONField(default=dict)),
                        ('digest', models.CharField(max_length=64)),
                        ('value', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='observations', to='personal.watchvalue')),
                    ],
                    options={
                        'ordering': ['-seq'],
                        'indexes': [models.Index(fields=['at'], name='observation_at')],
                        'constraints': [models.UniqueConstraint(fields=('value', 'seq'), name='observation_once')],
                    },
                ),
            ],
        ),
    ]
