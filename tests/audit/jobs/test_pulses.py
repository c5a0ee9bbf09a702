"""Signs of life are written now and then, and at once when an outcome changes."""

from typing import Any

import pytest
from django.db import DatabaseError

from audit.jobs import pulses
from audit.models import Pulse
from config.celery import app


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    pulses.forget()


@pytest.mark.django_db
def test_a_sign_is_written_once_in_half_a_minute_but_a_changed_outcome_at_once(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    pulses.note("task:x()", duration_s=0.25)
    with django_assert_num_queries(0):
        pulses.note("task:x()", duration_s=0.5)
    assert Pulse.objects.get().duration_ms == 250
    pulses.note("task:x()", duration_s=1, error="OSError: no")
    assert (Pulse.objects.get().succeeded, Pulse.objects.get().error) == (False, "OSError: no")
    monkeypatch.setattr(pulses, "EVERY_S", 0)
    pulses.note("task:x()", duration_s=2)
    assert (Pulse.objects.get().succeeded, Pulse.objects.get().duration_ms) == (True, 2_000)


@pytest.mark.django_db
def test_a_database_that_refuses_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(Pulse.objects, "bulk_create", refuse)
        pulses.note("beat")
    pulses.note("beat")
    assert Pulse.objects.filter(name="beat").exists(), (
        "a failed sign is not taken for a written one"
    )


@pytest.mark.django_db
def test_a_task_tells_of_itself_and_of_its_worker() -> None:
    task = app.tasks["audit.tasks.run_jobs"]
    task.apply(("exports",))
    assert set(Pulse.objects.values_list("name", flat=True)) >= {
        "task:audit.tasks.run_jobs(exports)"
    }

    @app.task(name="tests.fails")
    def fails() -> None:
        raise OSError("smtp://me:hush@host")

    fails.apply()
    pulse = Pulse.objects.get(name="task:tests.fails()")
    assert (pulse.succeeded, pulse.error) == (False, "OSError: smtp://…@host")


@pytest.mark.django_db
def test_only_the_scheduler_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    pulses._note_beat()
    assert not Pulse.objects.exists()
    monkeypatch.setattr(pulses, "_is_beat", True)
    pulses._note_beat()
    assert Pulse.objects.get().name == "beat"
