"""On PostgreSQL, index the trail by transaction: seals are made and verified in that order.

Partition by partition, and CONCURRENTLY: nobody who writes an event waits for it.
"""

from django.db import migrations

from audit.append_only import PARTITIONS


def index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "CREATE INDEX IF NOT EXISTS event_transaction ON ONLY audit_event (transaction_id, id)"
        )
        cursor.execute(PARTITIONS)
        for (partition,) in cursor.fetchall():
            name = f"{partition}_transaction"
            cursor.execute(
                "SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)"
                " AND inhparent = 'event_transaction'::regclass",
                [name],
            )
            if cursor.fetchone():
                continue
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # of a broken attempt
            cursor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {partition} (transaction_id, id)")
            cursor.execute(f"ALTER INDEX event_transaction ATTACH PARTITION {name}")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS event_transaction")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0005_seals_append_only")]
    operations = [migrations.RunPython(index, drop)]
