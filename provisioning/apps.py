"""The provisioning application."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Provisioning(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        post_migrate.connect(_make_rows, sender=self)


def _make_rows(using: str, **kwargs: Any) -> None:
    """Make the eight providers and the schema's state, where they are missing."""
    from django.db import connections

    from provisioning.models import Provider, SchemaState

    if Provider._meta.db_table not in connections[using].introspection.table_names():
        return
    present = set(Provider.objects.using(using).values_list("kind", flat=True))
    Provider.objects.using(using).bulk_create(
        [
            Provider(kind=kind, key=kind, position=position)
            for position, kind in enumerate(Provider.Kind.values)
            if kind not in present
        ],
        ignore_conflicts=True,
    )
    SchemaState.objects.using(using).get_or_create(pk=1)
