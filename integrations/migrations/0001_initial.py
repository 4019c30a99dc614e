import accounts.tenancy
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import lib.clock
import lib.crypto
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
                    name='OAuthClient',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('client_id', models.CharField(max_length=500, unique=True)),
                        ('name', models.CharField(max_length=120)),
                        ('redirect_uris', models.JSONField(default=list)),
                        ('uri', models.URLField(blank=True, max_length=500)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('last_used_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': 'OAuth client',
                    },
                ),
                migrations.CreateModel(
                    name='McpServer',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=80)),
                        ('tools', models.JSONField(default=list)),
                        ('resources', models.JSONField(default=list)),
                        ('prompts', models.JSONField(default=list)),
                        ('calls_per_minute', models.PositiveIntegerField(default=60)),
                        ('status', models.CharField(choices=[('active', 'Active'), ('suspended', 'Suspended'), ('revoked', 'Revoked')], default='active', max_length=9)),
                        ('status_text', models.CharField(blank=True, max_length=200)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('last_used_at', models.DateTimeField(null=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name': 'MCP server',
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(fields=['workspace', 'user', '-created_at'], name='mcp_server_list')],
                    },
                ),
                migrations.CreateModel(
                    name='McpUsage',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('tool', models.CharField(max_length=80)),
                        ('calls', models.PositiveIntegerField(default=0)),
                        ('errors', models.PositiveIntegerField(default=0)),
                        ('ms', models.PositiveBigIntegerField(default=0)),
                        ('server', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='integrations.mcpserver')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name': 'MCP usage',
                        'verbose_name_plural': 'MCP usage',
                        'ordering': ['-day', 'tool'],
                        'constraints': [models.UniqueConstraint(fields=('server', 'day', 'tool'), name='mcp_usage_once')],
                    },
                ),
                migrations.CreateModel(
                    name='McpToken',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('plain', 'Token'), ('access', 'Access token'), ('refresh', 'Refresh token')], max_length=7)),
                        ('token_hash', models.CharField(max_length=64, unique=True)),
                        ('prefix', models.CharField(max_length=12)),
                        ('family', models.UUIDField(default=lib.ids.uuid7)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('expires_at', models.DateTimeField(null=True)),
                        ('used_at', models.DateTimeField(null=True)),
                        ('revoked_at', models.DateTimeField(null=True)),
                        ('last_used_at', models.DateTimeField(null=True)),
                        ('server', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='integrations.mcpserver')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('client', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.oauthclient')),
                    ],
                    options={
                        'verbose_name': 'MCP token',
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(fields=['workspace', 'server'], name='mcp_token_server'), models.Index(fields=['workspace', 'family'], name='mcp_token_family')],
                    },
                ),
                migrations.CreateModel(
                    name='OAuthCode',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('code_hash', models.CharField(max_length=64, unique=True)),
                        ('redirect_uri', models.CharField(max_length=500)),
                        ('challenge', models.CharField(max_length=128)),
                        ('resource', models.CharField(max_length=500)),
                        ('expires_at', models.DateTimeField()),
                        ('used_at', models.DateTimeField(null=True)),
                        ('family', models.UUIDField(default=lib.ids.uuid7)),
                        ('client', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.oauthclient')),
                        ('server', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.mcpserver')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name': 'OAuth code',
                    },
                ),
                migrations.CreateModel(
                    name='OutsideServer',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=40)),
                        ('url', models.URLField(max_length=500)),
                        ('secret', lib.crypto.SecretField(blank=True, default='')),
                        ('tools', models.JSONField(default=list)),
                        ('allowed', models.JSONField(default=dict)),
                        ('is_active', models.BooleanField(default=True)),
                        ('problem_text', models.CharField(blank=True, max_length=300)),
                        ('checked_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='outside_server_name_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SearchDue',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(max_length=12)),
                        ('object_id', models.UUIDField()),
                        ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name_plural': 'search due',
                        'indexes': [models.Index(fields=['at'], name='search_due_at')],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'kind', 'object_id'), name='search_due_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SearchEntry',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(max_length=12)),
                        ('object_id', models.UUIDField()),
                        ('title', models.CharField(max_length=200)),
                        ('body', models.TextField(blank=True)),
                        ('tokens', django.contrib.postgres.search.SearchVectorField()),
                        ('n_tokens', models.PositiveIntegerField(default=0)),
                        ('campaign_id', models.UUIDField(null=True)),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name_plural': 'search entries',
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'kind', 'object_id'), name='search_entry_once')],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookEndpoint',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('label', models.CharField(blank=True, max_length=80)),
                        ('url', models.URLField(max_length=500)),
                        ('kinds', models.JSONField(default=list)),
                        ('secret', lib.crypto.SecretField()),
                        ('old_secret', lib.crypto.SecretField(blank=True, default='')),
                        ('old_secret_until', models.DateTimeField(null=True)),
                        ('status', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused')], default='active', max_length=6)),
                        ('status_text', models.CharField(blank=True, max_length=200)),
                        ('failures_in_row', models.PositiveIntegerField(default=0)),
                        ('last_ok_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookDelivery',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('event_id', models.UUIDField(null=True)),
                        ('kind', models.CharField(max_length=60)),
                        ('ordering_key', models.CharField(max_length=120)),
                        ('payload', models.JSONField(default=dict)),
                        ('status', models.CharField(choices=[('pending', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('canceled', 'Canceled')], default='pending', max_length=9)),
                        ('tries', models.PositiveSmallIntegerField(default=0)),
                        ('due_at', models.DateTimeField(default=lib.clock.now)),
                        ('lease_until', models.DateTimeField(null=True)),
                        ('fence', models.PositiveIntegerField(default=0)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('replay_of', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replays', to='integrations.webhookdelivery')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('endpoint', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='integrations.webhookendpoint')),
                    ],
                    options={
                        'verbose_name_plural': 'webhook deliveries',
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(condition=models.Q(('status', 'pending')), fields=['due_at'], name='webhook_due'), models.Index(condition=models.Q(('status', 'pending')), fields=['endpoint', 'ordering_key', 'id'], name='webhook_order'), models.Index(fields=['workspace', 'endpoint', '-created_at'], name='webhook_log')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('replay_of', None), models.Q(('event_id', None), _negated=True)), fields=('endpoint', 'event_id'), name='webhook_event_once')],
                    },
                ),
                migrations.CreateModel(
                    name='WebhookTry',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('status_code', models.PositiveSmallIntegerField(null=True)),
                        ('ms', models.PositiveIntegerField(default=0)),
                        ('problem_text', models.CharField(blank=True, max_length=300)),
                        ('answer', models.CharField(blank=True, max_length=1000)),
                        ('delivery', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='log', to='integrations.webhookdelivery')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name_plural': 'webhook tries',
                        'ordering': ['-at'],
                        'indexes': [models.Index(fields=['workspace', 'delivery', 'at'], name='webhook_try')],
                    },
                ),
            ],
        ),
    ]
