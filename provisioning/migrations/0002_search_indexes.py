"""On PostgreSQL, serve the portal's searches of users and groups by an index."""

from django.db import migrations

INDEX = (
    "CREATE INDEX {table}_search ON provisioning_{table} "
    "USING gin (array_to_tsvector(string_to_array(btrim(search), ' ')))"
)


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in ("user", "group"):
            schema_editor.execute(INDEX.format(table=table))


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in ("user", "group"):
            schema_editor.execute(f"DROP INDEX {table}_search")


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0001_directory")]
    operations = [migrations.RunPython(create, drop)]
