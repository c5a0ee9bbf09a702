"""The settings of production, with kinds of jobs whose effects a test can count."""

from config.settings import *  # noqa: F403

CELERY_IMPORTS = ["tests.config.survival.kinds"]
