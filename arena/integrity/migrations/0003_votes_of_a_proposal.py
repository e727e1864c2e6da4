import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrity', '0002_exclusions'),
    ]

    operations = [
        migrations.AddField(
            model_name='proposal',
            name='vote_ids',
            field=models.JSONField(default=list, help_text="Single votes instead, where a rule concerns nobody's others."),
        ),
        migrations.AlterField(
            model_name='exclusion',
            name='voter',
            field=models.ForeignKey(help_text='Blank where single votes of many are.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='teams.voter'),
        ),
    ]
