from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leaderboards', '0003_board_settings'),
        ('integrity', '0002_exclusions'),
    ]

    operations = [
        migrations.AddField(
            model_name='snapshot',
            name='cutoff_exclusion_id',
            field=models.BigIntegerField(help_text='Decisions up to and including this id were followed; blank before there were any.', null=True),
        ),
        migrations.AddField(
            model_name='snapshot',
            name='plain_csv',
            field=models.TextField(blank=True, default=''),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='snapshot',
            name='plain_json',
            field=models.TextField(blank=True, default='', help_text='The same of every vote, byte for byte; blank where every vote counts anyway.'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='snapshot',
            name='page',
            field=models.JSONField(help_text='What only the page shows: the sentence, the verdicts, the win matrix.'),
        ),
    ]
