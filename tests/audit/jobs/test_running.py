"""Jobs are taken once, tried again with patience, and given up visibly."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from audit.jobs import outbox, registry, running
from audit.models import HourlyCount, Job
from tests.concurrency import at_once


def enqueue(kind: str = "test.see", **payload: Any) -> Job:
    with transaction.atomic():
        return outbox.enqueue(kind, payload)


def make_due(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(due_at=Now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_jobs_are_done_in_the_order_in_which_they_became_due(seen: list[Any]) -> None:
    for n in range(3):
        enqueue(n=n)
    Job.objects.filter(payload__n=2).update(due_at=Now() - timedelta(hours=1))
    Job.objects.filter(payload__n=0).update(due_at=Now() + timedelta(hours=1))
    assert running.run_due("default") == 2
    assert [payload["n"] for payload in seen] == [2, 1]
    assert list(Job.objects.order_by("payload__n").values_list("state", flat=True)) == [
        "waiting",
        "done",
        "done",
    ]


@pytest.mark.django_db
def test_an_idle_look_reads_once_and_writes_nothing(seen: list[Any]) -> None:
    enqueue(n=1)
    assert running.run_due("exports") == 0, "another queue"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert running.run_due("exports") == 0
    assert len(queries) == 1
    assert queries[0]["sql"].startswith("SELECT")


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_take_different_jobs(seen: list[Any]) -> None:
    jobs = {enqueue(n=n).pk for n in range(40)}

    def work() -> list[int]:
        taken = []
        while job := running.claim("default"):
            taken.append(job.id)
        return taken

    taken = [pk for some in at_once([work] * 16) for pk in some]
    assert sorted(taken) == sorted(jobs)


@pytest.mark.django_db
def test_a_lease_that_ended_is_taken_again(seen: list[Any]) -> None:
    job = enqueue(n=1)
    first = running.claim("default")
    assert first
    assert running.claim("default") is None, "it is leased"
    make_due(job)
    second = running.claim("default")
    assert second
    assert second.attempts == 2
    running.run(first)
    assert seen == [], "the first worker came too late"
    running.run(second)
    assert seen == [{"n": 1}]


@pytest.mark.django_db
def test_a_lease_is_extended_by_its_holder_only(handles: Any) -> None:
    handles("test.long", transactional=False)(lambda payload, job: None)
    row = enqueue("test.long")
    job = running.claim("default")
    assert job
    make_due(row)
    job.extend()
    row.refresh_from_db()
    before = row.due_at
    job.extend(now=True)
    row.refresh_from_db()
    assert row.due_at - before > timedelta(seconds=registry.LEASE_S - 5)
    make_due(row)
    running.claim("default")
    with pytest.raises(running.LeaseLost):
        job.extend(now=True)


@pytest.mark.django_db
def test_a_failure_undoes_its_writes_and_is_tried_again_later(handles: Any) -> None:
    @handles("test.fail", most_attempts=3)
    def fail(payload: Any, job: Any) -> None:
        HourlyCount.objects.create(hour="2026-01-01T00:00Z", type="x", count=1)
        raise OSError("smtp://user:hush@host said no to alta_scim_abc")

    row = enqueue("test.fail")
    for attempt in (1, 2):
        assert running.run_due("default") == 1
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("waiting", attempt)
        assert row.due_at > row.created_at + timedelta(seconds=5)
        assert running.run_due("default") == 0
        make_due(row)
    running.run_due("default")
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("failed", 3)
    assert row.finished_at
    assert row.error == "OSError: smtp://…@host said no to …"
    assert not HourlyCount.objects.exists()


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_ends_too(seen: list[Any]) -> None:
    row = enqueue(n=1)
    for _ in range(5):
        assert running.claim("default")  # and the worker dies
        make_due(row)
    assert running.run_due("default") == 1
    row.refresh_from_db()
    assert row.state == "failed"
    assert row.error == running.ENDED
    assert seen == []


@pytest.mark.django_db
def test_a_handler_can_give_up(handles: Any) -> None:
    @handles("test.hopeless", transactional=False)
    def hopeless(payload: Any, job: Any) -> None:
        raise registry.GiveUp("its file is gone")

    row = enqueue("test.hopeless")
    running.run_due("default")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("failed", 1, "GiveUp: its file is gone")


@pytest.mark.django_db
def test_a_job_that_cannot_be_done_yet_waits_without_a_failed_attempt(handles: Any) -> None:
    @handles("test.later", most_attempts=1)
    def later(payload: Any, job: Any) -> None:
        raise registry.Later(900)

    row = enqueue("test.later")
    for _ in range(3):
        make_due(row)
        assert running.run_due("default") == 1
        row.refresh_from_db()
        assert (row.state, row.attempts, row.error) == ("waiting", 0, "")


@pytest.mark.django_db
def test_an_unknown_kind_is_a_dead_letter() -> None:
    row = Job.objects.create(kind="test.future")
    running.run_due("default")
    row.refresh_from_db()
    assert row.state == "failed"
    assert "test.future" in row.error


@pytest.mark.django_db(transaction=True)
def test_a_long_job_runs_outside_a_transaction(handles: Any) -> None:
    inside = []

    @handles("test.long", transactional=False)
    def long(payload: Any, job: Any) -> None:
        inside.append(transaction.get_connection().in_atomic_block)

    row = enqueue("test.long")
    running.run_due("default")
    row.refresh_from_db()
    assert inside == [False]
    assert row.state == "done"


def test_back_off_doubles_within_bounds() -> None:
    for attempts, wait in ((1, 10), (2, 20), (5, 160), (12, 3_600), (500, 3_600)):
        assert 0.75 * wait <= running.back_off_s(attempts) <= 1.25 * wait
