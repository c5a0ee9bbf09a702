"""A job is written with the change that asks for it."""

from typing import Any

import pytest
from django.db import transaction

from audit.jobs import outbox, registry, running
from audit.models import Job
from tests.concurrency import at_once


@pytest.mark.django_db(transaction=True)
def test_a_job_needs_a_transaction(seen: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="needs the transaction"):
        outbox.enqueue("test.see", {})


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_and_its_wake_up_with_it(
    seen: list[Any], woken: list[str]
) -> None:
    with transaction.atomic():
        outbox.enqueue("test.see", {})
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert woken == []


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_a_worker_of_the_queue(handles: Any, woken: list[str]) -> None:
    handles("test.slow", queue="exports")(lambda payload, job: None)
    with transaction.atomic():
        job = outbox.enqueue("test.slow", {"n": 1})
        assert woken == []
    assert woken == ["exports"]
    assert (job.queue, job.state, job.payload) == ("exports", "waiting", {"n": 1})


@pytest.mark.django_db
def test_a_key_has_one_unfinished_job_of_its_kind(seen: list[Any], handles: Any) -> None:
    handles("test.other")(lambda payload, job: None)
    first = outbox.enqueue("test.see", {"n": 1}, key="a")
    assert outbox.enqueue("test.see", {"n": 2}, key="a").pk == first.pk
    assert outbox.enqueue("test.see", {"n": 3}, key="b").pk != first.pk
    assert outbox.enqueue("test.other", {"n": 4}, key="a").pk != first.pk
    assert running.run_due("default") == 3
    assert {"n": 1} in seen
    assert {"n": 2} not in seen
    assert outbox.enqueue("test.see", {"n": 5}, key="a").pk != first.pk, "the first is done"


@pytest.mark.django_db
def test_a_kind_that_nobody_does_is_refused() -> None:
    with pytest.raises(registry.UnknownKind, match=r"test\.nobody"):
        outbox.enqueue("test.nobody", {})


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_is_one_job(seen: list[Any]) -> None:
    def call() -> int:
        with transaction.atomic():
            return outbox.enqueue("test.see", {}, key="same").pk

    assert len(set(at_once([call] * 16))) == 1
    assert Job.objects.count() == 1
