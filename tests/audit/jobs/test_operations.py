"""Dead letters are tried again or discarded, and old jobs forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.jobs import outbox, running
from audit.models import Event, Job, Pulse
from audit.operations import jobs
from tests.conftest import MAKER


@pytest.fixture
def dead(db: None) -> Job:
    """A job that was given up."""
    return Job.objects.create(
        kind="test.see",
        key="a",
        state="failed",
        attempts=5,
        error="no",
        finished_at=timezone.now(),
        payload={"n": 1},
    )


def test_a_dead_letter_that_is_retried_begins_anew(
    dead: Job,
    seen: list[Any],
    woken: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        jobs.retry(dead.pk, actor=MAKER)
    assert woken == ["default"]
    dead.refresh_from_db()
    assert (dead.state, dead.attempts, dead.finished_at) == ("waiting", 0, None)
    assert running.run_due("default") == 1
    assert seen == [{"n": 1}]
    with pytest.raises(jobs.NotFailed):
        jobs.retry(dead.pk, actor=MAKER)


def test_a_dead_letter_whose_work_waits_again_is_not_retried(dead: Job, seen: list[Any]) -> None:
    outbox.enqueue("test.see", {}, key="a")
    with pytest.raises(jobs.AlreadyAsked):
        jobs.retry(dead.pk, actor=MAKER)
    dead.refresh_from_db()
    assert dead.state == "failed"
    assert not Event.objects.filter(type="job.retried").exists()


def test_a_discarded_job_leaves_an_event_with_its_error(dead: Job) -> None:
    jobs.discard(dead.pk, actor=MAKER)
    assert not Job.objects.exists()
    event = Event.objects.get(type="job.discarded")
    assert (event.target_label, event.details["error"]) == ("test.see", "no")
    with pytest.raises(jobs.NotFailed):
        jobs.discard(dead.pk, actor=MAKER)


@pytest.mark.django_db
def test_only_a_dead_letter_is_retried_or_discarded() -> None:
    for state in ("waiting", "running", "done"):
        finished_at = timezone.now() if state == "done" else None
        job = Job.objects.create(kind="test.see", state=state, finished_at=finished_at)
        for operation in (jobs.retry, jobs.discard):
            with pytest.raises(jobs.NotFailed):
                operation(job.pk, actor=MAKER)


@pytest.mark.django_db
def test_old_jobs_and_silent_workers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BATCH", 2)
    now = timezone.now()
    for days in (0, 8, 8, 8, 91):
        for state in ("done", "failed"):
            Job.objects.create(
                kind=f"{state}{days}", state=state, finished_at=now - timedelta(days=days)
            )
    Job.objects.create(kind="waiting", due_at=now - timedelta(days=400))
    for name in ("beat", "worker:default@gone"):
        Pulse.objects.create(name=name, at=now - timedelta(days=8))
    assert jobs.sweep() == 5
    assert sorted(set(Job.objects.values_list("kind", flat=True))) == [
        "done0",
        "failed0",
        "failed8",
        "waiting",
    ]
    assert [pulse.name for pulse in Pulse.objects.all()] == ["beat"]
