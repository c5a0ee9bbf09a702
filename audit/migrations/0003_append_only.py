"""Let the database itself refuse to change or delete an event."""

from django.db import migrations

from audit import append_only


def install(apps, schema_editor):
    append_only.install(schema_editor.connection)


def remove(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_partition_by_month")]
    operations = [migrations.RunPython(install, remove)]
