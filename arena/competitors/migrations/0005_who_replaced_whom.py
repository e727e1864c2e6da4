"""Versions that a next one replaced are told by it from now on; both were written at one moment."""

from datetime import timedelta

from django.db import migrations

AT_MOST = timedelta(seconds=10)


def tell(apps, schema_editor):
    """A version was retired by the clock read just before its next one was stored."""
    competitors = apps.get_model("competitors", "Competitor")
    for old in competitors.objects.filter(retired_at__isnull=False, replaced_by__isnull=True):
        made_then = (old.retired_at, old.retired_at + AT_MOST)
        later = competitors.objects.filter(
            arena=old.arena_id, name=old.name, version__gt=old.version, created_at__range=made_then
        )
        if (new := later.order_by("version").first()) is not None:
            competitors.objects.filter(pk=old.pk).update(replaced_by=new)


class Migration(migrations.Migration):
    dependencies = [("competitors", "0004_why_a_competitor_was_retired")]

    operations = [migrations.RunPython(tell, migrations.RunPython.noop, elidable=True)]
