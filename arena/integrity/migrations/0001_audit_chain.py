import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('teams', '0005_arena_settings_and_memberships'),
    ]

    operations = [
        migrations.CreateModel(
            name='VoterSalt',
            fields=[
                ('voter', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='teams.voter')),
                ('salt', models.CharField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('erased_at', models.DateTimeField()),
                ('voter', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.voter')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('position', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.arena')),
            ],
            options={
                'ordering': ('arena_id', '-day'),
                'constraints': [models.UniqueConstraint(fields=('arena', 'day'), name='one_head_a_day')],
            },
        ),
        migrations.CreateModel(
            name='AuditLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveBigIntegerField()),
                ('kind', models.CharField(choices=[('arena', 'settings of the arena'), ('competitor', 'competitor'), ('exclusion', 'exclusion'), ('erasure', 'erasure'), ('vote', 'vote')], max_length=12)),
                ('row_id', models.BigIntegerField()),
                ('salt', models.CharField(max_length=32)),
                ('commitments', models.TextField(help_text='Canonical JSON: a salted hash by name.')),
                ('sha256', models.CharField(max_length=64)),
                ('arena', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.arena')),
            ],
            options={
                'ordering': ('arena_id', 'position'),
                'indexes': [models.Index(fields=['kind', 'row_id'], name='link_of_row')],
                'constraints': [models.UniqueConstraint(fields=('arena', 'position'), name='one_link_a_position')],
            },
        ),
    ]
