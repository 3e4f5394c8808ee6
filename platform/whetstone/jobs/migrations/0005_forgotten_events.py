from django.apps.registry import Apps
from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce


def take_what_is_missing_for_forgotten(apps: Apps, schema_editor: object) -> None:
    """Until now nobody counted them."""
    Job, Event = apps.get_model("jobs", "Job"), apps.get_model("jobs", "Event")
    told = Event.objects.filter(job=OuterRef("pk"), number__lte=OuterRef("last_event")).order_by()
    counted = told.values("job").annotate(n=Count("id")).values("n")
    Job.objects.update(forgotten_events=models.F("last_event") - Coalesce(Subquery(counted), 0))


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_chores"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="forgotten_events",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunPython(take_what_is_missing_for_forgotten, migrations.RunPython.noop),
    ]
