"""The portal: «Administración»."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Portal(AppConfig):
    name = "portal"

    def ready(self) -> None:
        post_migrate.connect(_make_roles, sender=None)


def _make_roles(using: str, **kwargs: Any) -> None:
    from portal import roles

    roles.ensure(using)
