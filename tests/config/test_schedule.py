"""What beat asks for exists, and runs on an empty database."""

import pytest
from django.conf import settings

from config.celery import app


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_each_scheduled_task_is_registered_and_runs_twice(name):
    app.loader.import_default_modules()
    entry = settings.CELERY_BEAT_SCHEDULE[name]
    task = app.tasks[entry["task"]]
    task.run(*entry.get("args", ()))
    task.run(*entry.get("args", ()))
