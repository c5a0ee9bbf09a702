"""Between the requests and the table: a bounded queue, and a thread that empties it.

A request only appends. The thread, one a process, writes at most once a second, a batch in one
short transaction on a connection of its own. What does not fit is counted, and the count is
written when the database is back: nothing waits, nothing raises, memory stays bounded.
"""

import contextlib
import multiprocessing.util
import os
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F

from provisioning.log import entries
from provisioning.log.entries import Entry
from provisioning.models import LoggedRequest, LostRequests

log = structlog.get_logger("alta.provisioning")

MOST_ROWS = 20_000
MOST_BYTES = 32 * 1024 * 1024
AT_ONCE = 200  # rows in one transaction: SQLite has one writer at a time
EVERY_S = 1.0
LONGEST_PAUSE_S = 30.0
LAST_FLUSH_S = 4.0  # the web server gives a worker ten seconds to end
# On SQLite the log does not queue for the write lock as requests do: it tries again later.
SQLITE_PATIENCE_MS = 100


class Buffer:
    """The queue of one process."""

    is_threaded = True  # tests write by hand

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as a forked process does: what it inherits, its parent writes."""
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self.lost = 0
        self._thread: threading.Thread | None = None
        self._filled = threading.Event()  # there is something
        self._due = threading.Event()  # write now: a batch is full, or the process ends
        self._ends = False
        self._told = False

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Take an entry, or count it as lost when there is no room. Never waits for a database."""
        weight = entry.weight
        with self._lock:
            if len(self._entries) >= MOST_ROWS or self._bytes + weight > MOST_BYTES:
                self.lost += 1
                return
            self._entries.append(entry)
            self._bytes += weight
            count = len(self._entries)
            if self._thread is None and self.is_threaded:
                self._start()
        if count == 1:
            self._filled.set()
        elif count == AT_ONCE:
            self._due.set()

    def lose(self, count: int, error: Exception) -> None:
        """Count rows that cannot be written; say why, once until a row is written again."""
        with self._lock:
            self.lost += count
        self._tell("rows of the provisioning log are lost", error)

    def flush(self) -> int:
        """Write what is there; return how many rows. Raises DatabaseError, and keeps the rest."""
        written = 0
        while batch := self._taken():
            rows, failed = entries.rows(batch)
            if failed:
                self.lose(failed, ValueError("an entry could not be read"))
            try:
                entries.fill_names(rows)
                self._write(rows)
            except (DataError, IntegrityError):
                written += self._write_singly(rows)
            except Exception:
                self._give_back(batch)
                raise
            else:
                written += len(rows)
        self._write_lost()
        self._told = self._told and not written
        return written

    def close(self) -> None:
        """Write the last rows, within seconds: the process ends."""
        self._ends = True
        self._due.set()
        self._filled.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(LAST_FLUSH_S)
        if left := len(self._entries):
            self._tell(f"{left} rows of the provisioning log are lost: the process ends", None)

    def _start(self) -> None:
        # At the end of this process; atexit would miss one that multiprocessing forked.
        multiprocessing.util.Finalize(None, self.close, exitpriority=100)
        self._thread = threading.Thread(target=self._run, name="provisioning-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        """Empty the queue until the process ends; wait longer while the database is away."""
        pause = EVERY_S
        while not self._ends:
            self._filled.wait()
            self._due.wait(pause)
            self._due.clear()
            try:
                self._prepare()
                self.flush()
                pause = EVERY_S
            except Exception as error:  # whatever it is, requests go on
                self._due.clear()
                if "database is locked" in str(error):  # SQLite, busy with requests: they go first
                    continue
                pause = min(pause * 2, LONGEST_PAUSE_S)
                self._tell("the provisioning log cannot be written; its rows wait", error)
            with self._lock:
                if not self._entries and not self._ends:
                    self._filled.clear()
        with contextlib.suppress(Exception):  # what came in since; `close` tells what is left
            self.flush()
        connection.close()

    def _prepare(self) -> None:
        """Have a connection that works."""
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None and connection.vendor == "sqlite":
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {SQLITE_PATIENCE_MS}")

    def _taken(self) -> list[Entry]:
        with self._lock:
            count = min(len(self._entries), AT_ONCE)
            batch = [self._entries.popleft() for _ in range(count)]
            self._bytes -= sum(entry.weight for entry in batch)
            return batch

    def _give_back(self, batch: list[Entry]) -> None:
        with self._lock:
            self._entries.extendleft(reversed(batch))
            self._bytes += sum(entry.weight for entry in batch)

    def _write(self, rows: list[LoggedRequest]) -> None:
        with transaction.atomic():
            LoggedRequest.objects.bulk_create(rows)

    def _write_singly(self, rows: list[LoggedRequest]) -> int:
        """Write rows one by one: one of them is not as the table wants it."""
        written = 0
        for row in rows:
            try:
                self._write([row])
                written += 1
            except (DataError, IntegrityError) as error:
                self.lose(1, error)
        return written

    def _write_lost(self) -> None:
        """Add what was lost to this hour's count."""
        with self._lock:
            lost, self.lost = self.lost, 0
        if not lost:
            return
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        try:
            with transaction.atomic():
                if not LostRequests.objects.filter(hour=hour).update(count=F("count") + lost):
                    LostRequests.objects.create(hour=hour, count=lost)
        except Exception:
            with self._lock:
                self.lost += lost
            raise

    def _tell(self, what: str, error: Exception | None) -> None:
        if self._told:
            return
        self._told = True
        details: dict[str, Any] = {"error": repr(error)} if error else {}
        log.warning(what, **details)


LOG = Buffer()
os.register_at_fork(after_in_child=LOG.reset)
