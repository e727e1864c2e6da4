import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('competitors', '0002_key_of_a_provider'),
        ('leaderboards', '0002_counted_votes'),
        ('teams', '0005_arena_settings_and_memberships'),
    ]

    operations = [
        migrations.CreateModel(
            name='BoardSettings',
            fields=[
                ('arena', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='teams.arena')),
                ('anchor_rating', models.FloatField(default=1000.0, validators=[django.core.validators.MinValueValidator(-10000), django.core.validators.MaxValueValidator(10000)])),
                ('controls_style', models.BooleanField(default=False, help_text="The board's page opens with style held equal; the published board stays plain.")),
                ('anchor', models.ForeignKey(blank=True, help_text='Pinned to the rating below; without one the mean is.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='competitors.competitor')),
            ],
        ),
    ]
