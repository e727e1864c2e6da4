import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrity', '0001_audit_chain'),
        ('competitors', '0002_key_of_a_provider'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ScreeningPolicy',
            fields=[
                ('arena', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='teams.arena')),
                ('mode', models.CharField(choices=[('automatic', 'Automatic: findings take effect at once, and can be reversed'), ('review', "Review: findings wait for somebody's decision"), ('off', 'Off: nobody looks')], max_length=10)),
                ('updated_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ScreeningRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('seconds', models.FloatField()),
                ('through_battle_id', models.BigIntegerField()),
                ('through_vote_id', models.BigIntegerField()),
                ('battles', models.PositiveIntegerField()),
                ('votes', models.PositiveIntegerField()),
                ('alarms', models.JSONField(default=list, help_text='Rule, competitor, sign, statistic, threshold, sentence.')),
                ('findings', models.PositiveIntegerField()),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.arena')),
            ],
            options={
                'ordering': ('arena_id', '-id'),
            },
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=20)),
                ('unit_kind', models.CharField(max_length=12)),
                ('voters', models.JSONField(help_text="Numbers of the voters concerned: one, or a cluster's members.")),
                ('sign', models.SmallIntegerField(help_text='+1 promotion, -1 demotion, 0 neither.')),
                ('action', models.CharField(max_length=10)),
                ('votes', models.PositiveIntegerField(help_text='Votes that lose their weight if it takes effect.')),
                ('evidence', models.JSONField()),
                ('sentence', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.arena')),
                ('competitor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='competitors.competitor')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='integrity.screeningrun')),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='Exclusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('votes', models.JSONField(default=list, help_text="Ids of single votes; empty for all of the voter's.")),
                ('action', models.CharField(choices=[('excluded', 'excluded'), ('held', 'held'), ('cleared', 'cleared')], max_length=10)),
                ('rule', models.CharField(max_length=20)),
                ('evidence', models.JSONField(default=dict)),
                ('sentence', models.TextField()),
                ('decided_by', models.CharField(choices=[('automatic', 'automatic'), ('reviewer', 'reviewer')], max_length=10)),
                ('appeal_note', models.TextField(blank=True, help_text='What the voter said, as the reviewer noted it.')),
                ('created_at', models.DateTimeField()),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.arena')),
                ('competitor', models.ForeignKey(help_text='Only votes on battles with this one; blank for all.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='competitors.competitor')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversal', to='integrity.exclusion')),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('voter', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.voter')),
                ('proposal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='integrity.proposal')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['arena', 'voter'], name='exclusion_of_voter')],
                'constraints': [models.CheckConstraint(condition=models.Q(('action__in', ('excluded', 'held', 'cleared'))), name='known_exclusion_action')],
            },
        ),
    ]
