"""The audit application."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class Audit(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit.search import teach_sqlite  # registers the look-ups too

        connection_created.connect(teach_sqlite)
        post_migrate.connect(_make_partitions, sender=self)
        autodiscover_modules("tasks")  # every process knows every kind of job


def _make_partitions(using: str, **kwargs: Any) -> None:
    from django.conf import settings
    from django.db import connections

    from audit import month_functions, partitions
    from audit.models import Event

    connection = connections[using]
    if Event._meta.db_table in connection.introspection.table_names():
        partitions.make(connection)
        month_functions.keep(connection, settings.AUDIT_MONTHS)
