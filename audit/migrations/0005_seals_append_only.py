"""Let the database itself refuse to change or delete a seal."""

from django.db import migrations

from audit import append_only


def install(apps, schema_editor):
    append_only.install_on_seals(schema_editor.connection)


def remove(apps, schema_editor):
    append_only.remove_from_seals(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_seals")]
    operations = [migrations.RunPython(install, remove)]
