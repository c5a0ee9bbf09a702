"""The queue between requests and table: bounded, patient, harmless."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import DataError, OperationalError, connection, connections
from django.test import TransactionTestCase

from audit.actors import Origin
from provisioning.log import buffer, queries
from provisioning.log.buffer import LOG, Buffer
from provisioning.log.entries import Entry
from provisioning.log.notes import Notes
from provisioning.models import LoggedRequest, LostRequests, Provider, Token


def entry(name="luis@x", **given):
    provider = Provider(id=queries.UUID(int=1), kind="okta", key="okta")
    columns = {
        "at": datetime.now(UTC), "duration_us": 900, "provider": provider,
        "token": Token(id=queries.UUID(int=2), hint="abcd"), "origin": Origin("r-1"),
        "method": "GET", "path": "/scim/v2/Users", "status": 200, "notes": Notes(name=name),
    }  # fmt: skip
    return Entry(**columns | given)


@pytest.fixture
def log():
    return Buffer()


@pytest.mark.django_db
def test_rows_come_in_the_order_of_their_requests(log):
    for n in range(450):
        log.add(entry(f"u{n}@x"))
    assert log.flush() == 450
    assert len(log) == 0
    names = LoggedRequest.objects.order_by("id").values_list("name", flat=True)
    assert list(names) == [f"u{n}@x" for n in range(450)]


@pytest.mark.django_db
def test_what_does_not_fit_is_counted_and_the_count_is_written(log, monkeypatch):
    monkeypatch.setattr(buffer, "MOST_ROWS", 10)
    for _ in range(13):
        log.add(entry())
    assert (len(log), log.lost) == (10, 3)
    log.flush()
    assert log.lost == 0
    assert LostRequests.objects.get().count == 3
    log.lose(2, ValueError())
    log.flush()
    assert LostRequests.objects.get().count == 5
    assert queries.lost() == 5


def test_memory_is_bounded_by_bytes_too(log, monkeypatch):
    monkeypatch.setattr(buffer, "MOST_BYTES", 12_000)
    for _ in range(4):
        log.add(entry(request=b"x" * 3_000, request_size=3_000))
    assert (len(log), log.lost) == (2, 2)


@pytest.mark.django_db
def test_a_database_that_is_away_keeps_the_rows_waiting(log, monkeypatch):
    def away(rows):
        raise OperationalError("server closed the connection")

    for n in range(250):
        log.add(entry(f"u{n}@x"))
    with monkeypatch.context() as patched:
        patched.setattr(log, "_write", away)
        with pytest.raises(OperationalError):
            log.flush()
    assert (len(log), log.lost) == (250, 0)
    assert log.flush() == 250
    assert LoggedRequest.objects.order_by("id").first().name == "u0@x"


@pytest.mark.django_db
def test_a_row_that_the_table_does_not_take_costs_no_other(log, monkeypatch):
    write = log._write

    def picky(rows):
        if any(row.name == "bad@x" for row in rows):
            raise DataError("value too long")
        write(rows)

    monkeypatch.setattr(log, "_write", picky)
    for name in ("a@x", "bad@x", "c@x"):
        log.add(entry(name))
    assert log.flush() == 2
    assert LostRequests.objects.get().count == 1


@pytest.mark.django_db
def test_an_entry_that_cannot_be_read_costs_no_other(log):
    log.add(entry())
    log.add(entry(status=None))
    assert log.flush() == 1
    assert LostRequests.objects.get().count == 1


def test_an_outage_is_told_once(log, caplog):
    for _ in range(5):
        log.lose(1, OperationalError("away"))
    assert len(caplog.records) == 1
    assert log.lost == 5


def test_a_forked_process_writes_nothing_of_its_parent(monkeypatch):
    LOG.add(entry())
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, str(len(LOG)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0"
    assert len(LOG) == 1


def test_adding_never_waits_for_a_thread(log):
    started = time.perf_counter()
    for _ in range(2_000):
        log.add(entry())
    assert time.perf_counter() - started < 1


class TheThread(TransactionTestCase):
    """The thread on a connection of its own: not inside a test's transaction."""

    def test_it_writes_by_itself_and_ends(self):
        log = Buffer()
        log.is_threaded = True
        threads = [
            threading.Thread(target=lambda: [log.add(entry()) for _ in range(100)])
            for _ in range(4)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        log.close()
        assert log._thread is not None
        assert not log._thread.is_alive()
        assert (len(log), log.lost) == (0, 0)
        assert LoggedRequest.objects.count() == 400

    def test_it_survives_an_outage(self):
        log = Buffer()
        log.is_threaded = True
        write, fails = log._write, [True, True]

        def sometimes(rows):
            if fails:
                fails.pop()
                raise OperationalError("server closed the connection")
            write(rows)

        log._write = sometimes
        log.add(entry())
        for _ in range(40):
            log._due.set()
            time.sleep(0.05)
            if LoggedRequest.objects.exists():
                break
        log.close()
        assert LoggedRequest.objects.count() == 1

    def test_requests_go_first_on_sqlite(self):
        if connection.vendor != "sqlite":
            return
        log = Buffer()
        log.is_threaded = True
        with connections["default"].cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            log.add(entry())
            log._due.set()
            time.sleep(0.5)  # the thread tries, and gives way
            assert len(log) == 1
            cursor.execute("COMMIT")
        log.close()
        assert LoggedRequest.objects.count() == 1
        assert log.lost == 0


EXITING = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.provisioning.log.test_buffer import entry
from provisioning.log.buffer import LOG
{how}
"""
DIRECT = "LOG.add(entry())"
FORKED = """
import multiprocessing
from django.db import connections
connections.close_all()
child = multiprocessing.get_context("fork").Process(target=lambda: LOG.add(entry()))
child.start(); child.join()
"""


@pytest.mark.parametrize("how", [DIRECT, FORKED], ids=["a process", "a forked worker"])
def test_a_process_that_ends_writes_its_last_rows(tmp_path, how):
    variables = {
        "PATH": os.environ["PATH"],
        "ALTA_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(settings.BASE_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    read = "print(__import__('provisioning').models.LoggedRequest.objects.count())"
    for code in (EXITING.format(how=how), f"import django; django.setup()\nimport provisioning.models\n{read}"):  # fmt: skip  # noqa: E501
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=variables,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"
