from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrity', '0003_votes_of_a_proposal'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditlink',
            name='kind',
            field=models.CharField(choices=[('arena', 'settings of the arena'), ('competitor', 'competitor'), ('exclusion', 'exclusion'), ('erasure', 'erasure'), ('reversal', 'mark taken back'), ('vote', 'vote')], max_length=12),
        ),
    ]
