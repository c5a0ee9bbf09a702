"""The Celery application: worker and beat run from here."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from kombu.transport import TRANSPORT_ALIASES, filesystem

# Celery warns root because of pickle; messages here are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Folder(filesystem.Transport):
    """The embedded broker. Its reader would wait two seconds before it sees that it must stop."""

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> None:
        super().drain_events(connection, timeout and min(timeout, 0.2))


TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Folder"
app = Celery("alta")
app.set_default()  # for every thread: the one that wakes workers too
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["audit", "provisioning", "portal"])
