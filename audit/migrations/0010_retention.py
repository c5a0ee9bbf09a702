"""Let a role that may only append remove and make months of the trail, under conditions."""

from django.db import migrations

from audit import month_functions


def install(apps, schema_editor):
    month_functions.install(schema_editor.connection)


def remove(apps, schema_editor):
    month_functions.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_saved_views")]
    operations = [migrations.RunPython(install, remove)]
