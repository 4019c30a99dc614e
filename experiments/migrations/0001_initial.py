import accounts.tenancy
import django.db.models.deletion
import lib.clock
import lib.ids
import lib.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0009_tell_marks_once'),
        ('accounts', '__first__'),
        ('campaigns', '0001_squashed_0011_secure_plans_and_inbox'),
    ]

    operations = [
        lib.tables.CreateTables(
            models=[
                migrations.CreateModel(
                    name='Experiment',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=120)),
                        ('hypothesis', models.CharField(max_length=500)),
                        ('design', models.CharField(choices=[('A', 'Visitors of one link'), ('B', 'Subscribers of a bot'), ('C', 'Paired time slots'), ('D', 'Crossover of channels'), ('E', 'Style programme'), ('F', 'Optimiser'), ('G', 'Observation, no experiment')], max_length=1)),
                        ('status', models.CharField(choices=[('draft', 'Draft'), ('running', 'Running'), ('paused', 'Paused'), ('stopped', 'Stopped'), ('archived', 'Archived')], default='draft', max_length=8)),
                        ('metric', models.CharField(max_length=30)),
                        ('lower_is_better', models.BooleanField(default=False)),
                        ('guardrails', models.JSONField(blank=True, default=list)),
                        ('allocation', models.CharField(choices=[('fixed', 'Fixed shares'), ('thompson', 'Thompson sampling'), ('top_two', 'Top-two Thompson'), ('kl_ucb', 'KL-UCB'), ('epsilon', 'Epsilon-greedy')], default='fixed', max_length=8)),
                        ('settings', models.JSONField(blank=True, default=dict)),
                        ('horizon_days', models.PositiveSmallIntegerField(default=28)),
                        ('planned_units', models.PositiveIntegerField(null=True)),
                        ('registered', models.JSONField(blank=True, default=dict)),
                        ('registered_hash', models.CharField(blank=True, max_length=64)),
                        ('version', models.PositiveSmallIntegerField(default=1)),
                        ('seed', models.BigIntegerField(default=0)),
                        ('started_at', models.DateTimeField(null=True)),
                        ('ends_at', models.DateTimeField(null=True)),
                        ('stopped_at', models.DateTimeField(null=True)),
                        ('status_text', models.CharField(blank=True, max_length=300)),
                        ('due_at', models.DateTimeField(null=True)),
                        ('lease_until', models.DateTimeField(null=True)),
                        ('winner', models.CharField(blank=True, max_length=12)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('updated_at', models.DateTimeField(default=lib.clock.now)),
                        ('campaign', accounts.tenancy.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.campaign')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('parent', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='versions', to='experiments.experiment')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-created_at'],
                        'indexes': [models.Index(condition=models.Q(('status', 'running')), fields=['due_at'], name='experiment_due'), models.Index(fields=['workspace', 'status', '-created_at'], name='experiment_list')],
                    },
                ),
                migrations.CreateModel(
                    name='Epoch',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField()),
                        ('weights', models.JSONField()),
                        ('salt', models.CharField(max_length=64)),
                        ('seed', models.BigIntegerField()),
                        ('data', models.JSONField(default=dict)),
                        ('data_hash', models.CharField(max_length=64)),
                        ('reason', models.CharField(max_length=200)),
                        ('started_at', models.DateTimeField(default=lib.clock.now)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('experiment', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='epochs', to='experiments.experiment')),
                    ],
                    options={
                        'ordering': ['number'],
                        'constraints': [models.UniqueConstraint(fields=('experiment', 'number'), name='epoch_number_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Arm',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('key', models.CharField(max_length=12)),
                        ('name', models.CharField(max_length=80)),
                        ('position', models.PositiveSmallIntegerField()),
                        ('is_control', models.BooleanField(default=False)),
                        ('content', models.JSONField(default=dict)),
                        ('opened_at', models.DateTimeField(default=lib.clock.now)),
                        ('closed_at', models.DateTimeField(null=True)),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                        ('experiment', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='arms', to='experiments.experiment')),
                    ],
                    options={
                        'ordering': ['position'],
                        'constraints': [models.UniqueConstraint(fields=('experiment', 'key'), name='arm_key_once'), models.UniqueConstraint(condition=models.Q(('is_control', True)), fields=('experiment',), name='one_control')],
                    },
                ),
                migrations.CreateModel(
                    name='Look',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('number', models.PositiveIntegerField()),
                        ('at', models.DateTimeField(default=lib.clock.now)),
                        ('verdict', models.CharField(choices=[('better', 'Better'), ('no_difference', 'No meaningful difference'), ('harmful', 'Harmful'), ('keep_going', 'Keep going'), ('cannot_tell', 'Cannot tell')], max_length=13)),
                        ('sentence', models.CharField(max_length=500)),
                        ('refusals', models.JSONField(blank=True, default=list)),
                        ('data', models.JSONField(default=dict)),
                        ('data_hash', models.CharField(max_length=64)),
                        ('result', models.JSONField(default=dict)),
                        ('experiment', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='looks', to='experiments.experiment')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['-number'],
                        'constraints': [models.UniqueConstraint(fields=('experiment', 'number'), name='look_number_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Unit',
                    fields=[
                        ('id', models.UUIDField(default=lib.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('block', models.CharField(max_length=80)),
                        ('position', models.PositiveSmallIntegerField(default=0)),
                        ('propensity', models.FloatField(default=0.5)),
                        ('planned_at', models.DateTimeField(null=True)),
                        ('state', models.CharField(choices=[('planned', 'Planned'), ('live', 'Live'), ('measured', 'Measured'), ('excluded', 'Excluded')], default='planned', max_length=8)),
                        ('reason', models.CharField(blank=True, max_length=200)),
                        ('events', models.PositiveBigIntegerField(null=True)),
                        ('exposures', models.PositiveBigIntegerField(null=True)),
                        ('outcome', models.FloatField(null=True)),
                        ('variance', models.FloatField(null=True)),
                        ('baseline', models.FloatField(null=True)),
                        ('facts', models.JSONField(blank=True, default=dict)),
                        ('measured_at', models.DateTimeField(null=True)),
                        ('created_at', models.DateTimeField(default=lib.clock.now)),
                        ('arm', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='units', to='experiments.arm')),
                        ('delivery', accounts.tenancy.TenantForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='campaigns.delivery')),
                        ('experiment', accounts.tenancy.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='units', to='experiments.experiment')),
                        ('workspace', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.workspace')),
                    ],
                    options={
                        'ordering': ['block', 'position'],
                        'constraints': [models.UniqueConstraint(fields=('experiment', 'block', 'position'), name='unit_place_once'), models.UniqueConstraint(condition=models.Q(('delivery', None), _negated=True), fields=('delivery',), name='delivery_in_one_unit')],
                    },
                ),
            ],
        ),
    ]
