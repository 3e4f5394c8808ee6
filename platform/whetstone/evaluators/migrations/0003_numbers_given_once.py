from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def count_on_from_the_newest(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    versions = apps.get_model("evaluators", "EvaluatorVersion").objects.filter(evaluator=models.OuterRef("pk"))
    newest = versions.order_by("-number").values("number")[:1]
    apps.get_model("evaluators", "Evaluator").objects.update(last_number=models.Subquery(newest))


class Migration(migrations.Migration):
    dependencies = [
        ("evaluators", "0002_judges_and_secrets"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluator",
            name="last_number",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(count_on_from_the_newest, migrations.RunPython.noop),
    ]
