import accounts.tenancy
import django.db.models.deletion
import lib.clock
import lib.ids
import lib.tables
from django.conf import settings
from django.db import migrations, models


# Partitioned by month; `analytics.partitions` makes the months, with the policy of the whole on each of them. What is
# outside all months is in the default partition. No foreign keys: each would be looked up for every row that comes in.
EVENT = """
CREATE SEQUENCE analytics_event_number;
CREATE TABLE analytics_event (
    id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    number bigint NOT NULL DEFAULT nextval('analytics_event_number'),
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    kind varchar(10) NOT NULL,
    name varchar(60) NOT NULL,
    campaign_id uuid,
    post_id uuid,
    link_id uuid,
    arm varchar(12) NOT NULL,
    visitor varchar(32) NOT NULL,
    is_bot boolean NOT NULL,
    bot_reason varchar(12) NOT NULL,
    referrer varchar(120) NOT NULL,
    device varchar(8) NOT NULL,
    language varchar(12) NOT NULL,
    value_micro bigint NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE analytics_event_default PARTITION OF analytics_event DEFAULT;
ALTER SEQUENCE analytics_event_number OWNED BY analytics_event.number;
CREATE INDEX analytics_event_number_idx ON analytics_event (number);
CREATE INDEX analytics_event_visitor_idx ON analytics_event (workspace_id, visitor, at DESC) WHERE visitor <> '';
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0009_tell_marks_once'),
        ('accounts', '__first__'),
        ('campaigns', '0011_secure_plans_and_inbox'),
        ('social', '0006_origin'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(EVENT, "DROP TABLE analytics_event; DROP SEQUENCE analytics_event_number;")],
            state_operations=[
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('workspace_id', models.UUIDField()),
                        ('number', models.BigIntegerField()),
                        ('at', models.DateTimeField()),
                        ('received_at', models.DateTimeField(default=lib.clock.now)),
                        ('kind', models.CharField(choices=[('click', 'Click'), ('view', 'Page view'), ('conversion', 'Conversion'), ('custom', 'Custom')], max_length=10)),
                        ('name', models.CharField(blank=True, max_length=60)),
                        ('campaign_id', models.UUIDField(null=True)),
                        ('post_id', models.UUIDField(null=True)),
                        ('link_id', models.UUIDField(null=True)),
                        ('arm', models.CharField(blank=True, max_length=12)),
                        ('visitor', models.CharField(blank=True, max_length=32)),
                        ('is_bot', models.BooleanField(default=False)),
                        ('bot_reason', models.CharField(blank=True, max_length=12)),
                        ('referrer', models.CharField(blank=True, max_length=120)),
                        ('device', models.CharField(blank=True, max_length=8)),
                        ('language', models.CharField(blank=True, max_length=12)),
                        ('value_micro', models.BigIntegerField(default=0)),
                    ],
                    options={
                        'ordering': ['number'],
                    },
                ),
            ],
        ),
        lib.tables.CreateTables(
            models=[
                migrations.CreateModel(
                    name='RollupCursor',
                    fields=[
                        ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                        ('number', models.BigIntegerField(default=0)),
                        ('rolled_at', models.DateTimeField(default=lib.clock.now)),
                    ],
                ),
                migrations.CreateModel(
                    name='DayRollup',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('workspace_id', models.UUIDField()),
                        ('kind', models.CharField(max_length=10)),
                        ('name', models.CharField(blank=True, max_length=60)),
                        ('campaign_id', models.UUIDField(null=True)),
                        ('post_id', models.UUIDField(null=True)),
                        ('link_id', models.UUIDField(null=True)),
                        ('arm', models.CharField(blank=True, max_length=12)),
                        ('is_bot', models.BooleanField()),
                        ('events', models.BigIntegerField(default=0)),
                        ('visitors', models.BigIntegerField(default=0)),
                        ('value_micro', models.BigIntegerField(default=0)),
                        ('day', models.DateField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('workspace_id', 'day', 'kind', 'name', 'campaign_id', 'post_id', 'link_id', 'arm', 'is_bot'), name='day_rollup_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='HourRollup',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('workspace_id', models.UUIDField()),
                        ('kind', models.CharField(max_length=10)),
                        ('name', models.CharField(blank=True, max_length=60)),
                        ('campaign_id', models.UUIDField(null=True)),
                        ('post_id', models.UUIDField(null=True)),
                        ('link_id', models.UUIDField(null=True)),
                        ('arm', models.CharField(blank=True, max_length=12)),
                        ('is_bot', models.BooleanField()),
                        ('events', models.BigIntegerField(default=0)),
                        ('visitors', models.BigIntegerField(default=0)),
                        ('value_micro', models.BigIntegerField(default=0)),
                        ('hour', models.DateTimeField()),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('workspace_id', 'hour', 'kind', 'name', 'campaign_id', 'post_id', 'link_id', 'arm', 'is_bot'), name='hour_rollup_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='LinkDomain',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('host', models.CharField(max_length=253)),
                        ('token', models.CharField(max_length=40)),
                        ('verified_at', models.DateTimeField(null=True)),
                        ('problem_text', models.CharField(blank=True, max_length=300)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['host'],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'host'), name='domain_once'), models.UniqueConstraint(condition=models.Q(('verified_at', None), _negated=True), fields=('host',), name='domain_of_one_workspace')],
                    },
                ),
                migrations.CreateModel(
                    name='Link',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('code', models.CharField(max_length=24, unique=True)),
                        ('target', models.CharField(max_length=2000)),
                        ('title', models.CharField(blank=True, max_length=200)),
                        ('split', models.JSONField(blank=True, default=dict)),
                        ('is_active', models.BooleanField(default=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('campaign', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to='campaigns.campaign')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('post', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to='campaigns.post')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('domain', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to='analytics.linkdomain')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(fields=['workspace', '-created_at'], name='link_list')],
                    },
                ),
                migrations.CreateModel(
                    name='MeasuredPost',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('remote_id', models.CharField(max_length=40)),
                        ('url', models.CharField(blank=True, max_length=300)),
                        ('text', models.TextField(blank=True)),
                        ('published_at', models.DateTimeField()),
                        ('next_age', models.PositiveSmallIntegerField(default=0)),
                        ('due_at', models.DateTimeField(null=True)),
                        ('lease_until', models.DateTimeField(null=True)),
                        ('failures', models.PositiveSmallIntegerField(default=0)),
                        ('measured_at', models.DateTimeField(null=True)),
                        ('gone_at', models.DateTimeField(null=True)),
                        ('impressions', models.PositiveBigIntegerField(null=True)),
                        ('likes', models.PositiveBigIntegerField(null=True)),
                        ('replies', models.PositiveBigIntegerField(null=True)),
                        ('reposts', models.PositiveBigIntegerField(null=True)),
                        ('quotes', models.PositiveBigIntegerField(null=True)),
                        ('bookmarks', models.PositiveBigIntegerField(null=True)),
                        ('link_clicks', models.PositiveBigIntegerField(null=True)),
                        ('profile_clicks', models.PositiveBigIntegerField(null=True)),
                        ('video_views', models.PositiveBigIntegerField(null=True)),
                        ('reactions', models.PositiveBigIntegerField(null=True)),
                        ('joins', models.PositiveBigIntegerField(null=True)),
                        ('engagements', models.PositiveBigIntegerField(null=True)),
                        ('missing', models.JSONField(blank=True, default=dict)),
                        ('campaign', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.campaign')),
                        ('connection', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='social.connection')),
                        ('delivery', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='measured', to='campaigns.delivery')),
                        ('part', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.livepart')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-published_at'],
                        'indexes': [models.Index(condition=models.Q(('due_at', None), _negated=True), fields=['due_at'], name='measure_due'), models.Index(fields=['workspace', '-published_at'], name='measured_list'), models.Index(fields=['workspace', 'campaign', '-published_at'], name='measured_campaign')],
                        'constraints': [models.UniqueConstraint(fields=('connection', 'remote_id'), name='measured_once')],
                    },
                ),
                migrations.CreateModel(
                    name='MediaCost',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('amount_micro', models.PositiveBigIntegerField()),
                        ('note', models.CharField(blank=True, max_length=200)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('campaign', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='media_costs', to='campaigns.campaign')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-day'],
                    },
                ),
                migrations.CreateModel(
                    name='PerformanceSample',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('data', models.JSONField(default=dict)),
                    ],
                    options={
                        'ordering': ['-at'],
                        'indexes': [models.Index(fields=['-at'], name='performance_at')],
                    },
                ),
                migrations.CreateModel(
                    name='ReportSchedule',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=120)),
                        ('cron', models.CharField(max_length=80)),
                        ('time_zone', models.CharField(max_length=64)),
                        ('period', models.CharField(default='week', max_length=5)),
                        ('language', models.CharField(default='en', max_length=5)),
                        ('recipients', models.JSONField(default=list)),
                        ('is_active', models.BooleanField(default=True)),
                        ('due_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('campaign', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['name'],
                        'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['due_at'], name='report_due')],
                    },
                ),
                migrations.CreateModel(
                    name='Report',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('due_at', models.DateTimeField(null=True)),
                        ('title', models.CharField(max_length=160)),
                        ('starts_on', models.DateField()),
                        ('ends_on', models.DateField()),
                        ('time_zone', models.CharField(max_length=64)),
                        ('language', models.CharField(default='en', max_length=5)),
                        ('status', models.CharField(choices=[('making', 'Being made'), ('ready', 'Ready'), ('without_text', 'Ready, without a text'), ('failed', 'Failed')], default='making', max_length=12)),
                        ('data', models.JSONField(default=dict)),
                        ('data_hash', models.CharField(blank=True, max_length=64)),
                        ('insight', models.JSONField(blank=True, default=list)),
                        ('problem_text', models.CharField(blank=True, max_length=300)),
                        ('run_id', models.UUIDField(null=True)),
                        ('lease_until', models.DateTimeField(null=True)),
                        ('mailed_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('ready_at', models.DateTimeField(null=True)),
                        ('campaign', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.campaign')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('schedule', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reports', to='analytics.reportschedule')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(condition=models.Q(('status', 'making')), fields=['created_at'], name='report_making')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('schedule', None), _negated=True), fields=('schedule', 'due_at'), name='report_once_per_turn')],
                    },
                ),
                migrations.CreateModel(
                    name='Segment',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=80)),
                        ('subject', models.CharField(choices=[('contact', 'Contacts'), ('visitor', 'Visitors')], max_length=7)),
                        ('rules', models.JSONField(default=dict)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='segment_name_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SharedPage',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('token_hash', models.CharField(max_length=64, unique=True)),
                        ('kind', models.CharField(max_length=10)),
                        ('object_id', models.UUIDField(null=True)),
                        ('params', models.JSONField(default=dict)),
                        ('label', models.CharField(blank=True, max_length=80)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('expires_at', models.DateTimeField()),
                        ('revoked_at', models.DateTimeField(null=True)),
                        ('seen_at', models.DateTimeField(null=True)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                    },
                ),
                migrations.CreateModel(
                    name='Snapshot',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('age_s', models.PositiveIntegerField()),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('source', models.CharField(max_length=20)),
                        ('kind', models.CharField(choices=[('exact', 'Exact'), ('delayed', 'Delayed'), ('estimated', 'Estimated')], default='exact', max_length=9)),
                        ('metrics', models.JSONField(default=dict)),
                        ('missing', models.JSONField(blank=True, default=dict)),
                        ('post', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='snapshots', to='analytics.measuredpost')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['age_s'],
                        'constraints': [models.UniqueConstraint(fields=('post', 'age_s', 'source'), name='snapshot_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Target',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(max_length=20)),
                        ('value', models.BigIntegerField()),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('campaign', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='targets', to='campaigns.campaign')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['metric'],
                        'constraints': [models.UniqueConstraint(fields=('campaign', 'metric'), name='target_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Tracking',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('attribution_days', models.PositiveSmallIntegerField(default=30)),
                        ('uses_cookie', models.BooleanField(default=False)),
                        ('currency', models.CharField(default='USD', max_length=3)),
                        ('dollars_per_unit', models.DecimalField(decimal_places=6, default=1, max_digits=14)),
                        ('pixel_key', models.CharField(max_length=24, unique=True)),
                        ('updated_at', models.DateTimeField(default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name_plural': 'tracking',
                        'constraints': [models.UniqueConstraint(fields=('workspace',), name='tracking_once')],
                    },
                ),
                migrations.CreateModel(
                    name='UtmTemplate',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('source', models.CharField(blank=True, default='{network}', max_length=120)),
                        ('medium', models.CharField(blank=True, default='social', max_length=120)),
                        ('name', models.CharField(blank=True, default='{campaign}', max_length=120)),
                        ('term', models.CharField(blank=True, max_length=120)),
                        ('content', models.CharField(blank=True, default='{variant}', max_length=120)),
                        ('campaign', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='campaigns.campaign')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'campaign'), name='utm_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='VisitorDay',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('workspace_id', models.UUIDField()),
                        ('day', models.DateField()),
                        ('kind', models.CharField(max_length=10)),
                        ('link_id', models.UUIDField(null=True)),
                        ('visitor', models.CharField(max_length=32)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['day'], name='visitor_day_sweep')],
                        'constraints': [models.UniqueConstraint(fields=('workspace_id', 'day', 'kind', 'link_id', 'visitor'), name='visitor_day_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='Anomaly',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('metric', models.CharField(max_length=20)),
                        ('object_kind', models.CharField(blank=True, max_length=10)),
                        ('object_id', models.UUIDField(null=True)),
                        ('day', models.DateField()),
                        ('value', models.FloatField()),
                        ('low', models.FloatField()),
                        ('high', models.FloatField()),
                        ('text', models.CharField(max_length=300)),
                        ('seen_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'verbose_name_plural': 'anomalies',
                        'ordering': ['-day'],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'metric', 'object_id', 'day'), name='anomaly_once', nulls_distinct=False)],
                    },
                ),
                migrations.CreateModel(
                    name='FollowerCount',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                        ('count', models.PositiveBigIntegerField()),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('connection', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='social.connection')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['day'],
                        'constraints': [models.UniqueConstraint(fields=('connection', 'day'), name='followers_once_a_day')],
                    },
                ),
                migrations.CreateModel(
                    name='Funnel',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=80)),
                        ('steps', models.JSONField(default=list)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['name'],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='funnel_name_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Exposure',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('experiment_id', models.UUIDField()),
                        ('unit', models.CharField(max_length=32)),
                        ('arm', models.CharField(max_length=12)),
                        ('propensity', models.FloatField()),
                        ('epoch', models.PositiveIntegerField()),
                        ('salt', models.CharField(max_length=64)),
                        ('is_bot', models.BooleanField(default=False)),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('converted_at', models.DateTimeField(null=True)),
                        ('value_micro', models.BigIntegerField(default=0)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('link', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.link')),
                    ],
                    options={
                        'ordering': ['at'],
                        'indexes': [models.Index(fields=['experiment_id', 'epoch', 'arm'], name='exposure_count')],
                        'constraints': [models.UniqueConstraint(fields=('experiment_id', 'unit'), name='exposed_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Conversion',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('key', models.CharField(max_length=120)),
                        ('goal', models.CharField(default='purchase', max_length=60)),
                        ('at', models.DateTimeField()),
                        ('received_at', models.DateTimeField(default=lib.clock.now)),
                        ('source', models.CharField(choices=[('pixel', 'Pixel'), ('server', 'Server'), ('csv', 'CSV'), ('telegram', 'Telegram')], max_length=8)),
                        ('value_micro', models.BigIntegerField(default=0)),
                        ('click_id', models.UUIDField(null=True)),
                        ('clicked_at', models.DateTimeField(null=True)),
                        ('visitor', models.CharField(blank=True, max_length=32)),
                        ('post_id', models.UUIDField(null=True)),
                        ('arm', models.CharField(blank=True, max_length=12)),
                        ('data', models.JSONField(blank=True, default=dict)),
                        ('campaign', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.campaign')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('link', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='analytics.link')),
                    ],
                    options={
                        'ordering': ['-at'],
                        'indexes': [models.Index(fields=['workspace', '-at'], name='conversion_at'), models.Index(fields=['workspace', 'campaign', '-at'], name='conversion_campaign')],
                        'constraints': [models.UniqueConstraint(fields=('workspace', 'key'), name='conversion_once')],
                    },
                ),
            ],
        ),
    ]
