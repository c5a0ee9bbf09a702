"""Telling a worker that there is something to do. May be lost without harm: a sweep looks too.

A thread of its own speaks with the broker, so that one which is down or silent costs a request
nothing. Wake-ups that come together are sent as one.
"""

import threading
import time
from typing import Any

import structlog
from celery import current_app

TASK = "audit.tasks.run_jobs"
PAUSE_S = 0.1  # between two wake-ups of a process
SILENCE_S = 5  # after a failure: the sweep looks meanwhile
PATIENCE_S = 2  # for the broker to answer
EXPIRES_S = 60  # a wake-up that waited longer is worth nothing: the sweep was there

log = structlog.get_logger("alta.jobs")


class Waker:
    """Sends what it is told, from a daemon thread that starts with the first wake-up."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connection: Any = None

    def tell(self, queue: str) -> None:
        """Have a worker of a queue woken, soon and perhaps."""
        with self._condition:
            self._told.add(queue)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._told)
                queues, self._told = self._told, set()
            time.sleep(PAUSE_S if self._deliver(queues) else SILENCE_S)

    def _deliver(self, queues: set[str]) -> bool:
        try:
            if self._connection is None:
                self._connection = connect()
            for queue in queues:
                publish(self._connection, queue)
        except Exception as error:
            log.warning("no worker could be woken", error=type(error).__name__)
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.collect(socket_timeout=PATIENCE_S)
            except Exception:
                log.debug("the broker's connection could not be closed")


WAKER = Waker()


def send(queue: str) -> None:
    """Wake a worker of a queue. Never raises and never waits for the broker."""
    WAKER.tell(queue)


def connect(url: str | None = None) -> Any:
    """Return a connection to a broker, ours unless another is named, that gives up soon."""
    options = dict(current_app.conf.broker_transport_options or {})
    options |= {
        "socket_timeout": PATIENCE_S,
        "socket_connect_timeout": PATIENCE_S,
        "max_retries": 1,
        "interval_start": 0,
    }
    return current_app.connection_for_write(
        url, connect_timeout=PATIENCE_S, transport_options=options
    )


def publish(connection: Any, queue: str) -> None:
    """Send one wake-up; raises what the broker's library raises."""
    current_app.send_task(
        TASK, (queue,), queue=queue, connection=connection, retry=False, expires=EXPIRES_S
    )
