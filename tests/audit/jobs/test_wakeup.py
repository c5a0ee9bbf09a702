"""A wake-up may be lost: whoever asks never waits for the broker, and a sweep looks too."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from audit.jobs import registry, wakeup
from audit.models import Job
from audit.tasks import run_jobs
from tests.conftest import Person, sign_in


@pytest.fixture(params=["dead", "silent", "full"])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a broker that is not there, one that never answers, one without a place."""
    path = tmp_path / "broker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        if request.param == "silent":
            server.bind(str(path))
            server.listen(8)
        if request.param == "full":
            path.touch()
        yield f"redis+socket://{path}"


@pytest.fixture
def waker(broken: str, monkeypatch: pytest.MonkeyPatch) -> wakeup.Waker:
    """A waker whose broker is broken, and which is not patient."""
    monkeypatch.setattr(wakeup, "PATIENCE_S", 0.1)
    monkeypatch.setattr(wakeup, "connect", partial(wakeup.connect, broken))
    return wakeup.Waker()


def test_a_broken_broker_is_given_up_soon(waker: wakeup.Waker) -> None:
    assert not waker._deliver({"default"})
    assert waker._connection is None, "the next attempt begins anew"


@pytest.mark.django_db(transaction=True)
def test_a_request_that_asks_for_a_job_never_meets_a_broken_broker(
    waker: wakeup.Waker, monkeypatch: pytest.MonkeyPatch, ana: Person, seen: list[Any]
) -> None:
    gate, ended, deliver = threading.Event(), threading.Event(), waker._deliver

    def held(queues: set[str]) -> bool:
        gate.wait()  # until the request is answered
        try:
            return deliver(queues)
        finally:
            ended.set()

    monkeypatch.setattr(waker, "_deliver", held)
    monkeypatch.setattr(wakeup, "WAKER", waker)
    job = Job.objects.create(kind="test.see", state="failed", finished_at=timezone.now())
    answer = sign_in(ana).post(reverse("portal:job-retry", args=[job.pk]))
    assert answer.status_code == 302
    assert Job.objects.get().state == "waiting"
    gate.set()
    assert ended.wait(60)
    assert run_jobs.run("default") == 1, "the sweep does what no message told of"
    assert seen == [{}]


def test_a_wake_up_goes_to_our_broker_from_a_process_and_a_thread_that_know_no_celery() -> None:
    ask = """
import django
from threading import Thread
django.setup()
from audit.jobs import wakeup
def show(): print(wakeup.connect().transport_cls, wakeup.WAKER._deliver({"exports"}))
thread = Thread(target=show)
thread.start()
thread.join()
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    environment.pop("CELERY_BROKER_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["filesystem", "True"]


def test_wake_ups_that_come_together_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waker, sent, come = wakeup.Waker(), [], threading.Event()
    monkeypatch.setattr(wakeup, "PAUSE_S", 0)

    def deliver(queues: set[str]) -> bool:
        sent.append(set(queues))
        come.set()
        return True

    monkeypatch.setattr(waker, "_deliver", deliver)
    with waker._condition:  # the thread waits for us
        for _ in range(100):
            waker._told.add("default")
        waker._told.add("exports")
    waker.tell("default")
    assert come.wait(60)
    assert sent == [{"default", "exports"}]


@pytest.mark.parametrize("queue", registry.QUEUES)
def test_each_queue_is_swept_every_few_seconds_on_its_own_worker(queue: str) -> None:
    (entry,) = [
        entry
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == wakeup.TASK and entry["args"] == (queue,)
    ]
    assert entry["schedule"] <= 5
    options = entry["options"]
    assert options.get("queue", settings.CELERY_TASK_DEFAULT_QUEUE) == queue
    assert options["expires"] <= 10
    assert run_jobs.name == wakeup.TASK
    conf = (settings.BASE_DIR / "config" / "supervisord.conf").read_text()
    assert f"--queues {queue} " in conf
