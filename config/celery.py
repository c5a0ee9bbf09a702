"""The Celery application: worker and beat run from here."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning

# Celery warns root because of pickle; messages here are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("alta")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["audit", "provisioning", "portal"])
