"""The project as an application: it makes the Celery application known to every process."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        import config.celery  # noqa: F401 — else web servers would wake workers of another broker
