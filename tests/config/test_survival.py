"""kill -9 of workers, scheduler and broker amid five hundred jobs: each is done, once.

On SQLite with the embedded broker, on PostgreSQL with a real Redis: as Alta is run.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.config.installation import Installation, until
from tests.config.survival.kinds import TABLE

ROWS, EXPORTS, MAILS = 400, 50, 50
PARTS = ("worker --queues default", "worker --queues exports", "beat --loglevel")
DATABASE = "alta_survival"


class Redis:
    """A Redis of this test's own, on a socket, which forgets everything when it dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"redis+socket://{folder}/redis.sock"

    def start(self) -> None:
        server = shutil.which("redis-server")
        if server is None:
            pytest.fail("redis-server is missing: bin/test installs it")
        socket = str(self.folder / "redis.sock")
        arguments = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([server, *arguments], stdout=subprocess.DEVNULL)

    def crash(self) -> None:
        self.process.kill()
        self.process.wait()

    def recover(self) -> None:
        self.start()


class Folder:
    """The embedded broker, which loses what was in it."""

    url = "filesystem://"

    def __init__(self, folder: Path) -> None:
        self.messages = folder / "a folder" / "broker" / "messages"

    def start(self) -> None:
        pass

    def crash(self) -> None:
        """Take it away, and leave a file in its place: nobody can write a message."""
        shutil.rmtree(self.messages)
        self.messages.touch()

    def recover(self) -> None:
        self.messages.unlink()
        self.messages.mkdir()


class Database:
    """What the processes of Alta have written, read from outside."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "a folder" / "alta.sqlite3"
        self.is_sqlite = connection.vendor == "sqlite"
        self.url = ""
        if not self.is_sqlite:
            self.server = os.environ["DATABASE_URL"]
            self.url = urlsplit(self.server)._replace(path=f"/{DATABASE}").geturl()
            self.drop()
            with psycopg.connect(self.server, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {DATABASE}")

    def drop(self) -> None:
        if not self.is_sqlite:
            with psycopg.connect(self.server, autocommit=True) as server:
                server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        if self.is_sqlite:
            with sqlite3.connect(self.file, timeout=30) as database:
                return database.execute(sql).fetchall()
        with psycopg.connect(self.url) as database:
            return database.execute(sql).fetchall()

    def unfinished(self) -> int:
        ((number,),) = self.rows("SELECT count(*) FROM audit_job WHERE state <> 'done'")
        return int(str(number))


class Crashing(Installation):
    """A started bin/run whose parts can be killed."""

    def kill(self) -> None:
        for words in PARTS:
            if pid := self.part(words):
                os.kill(pid, signal.SIGKILL)

    def python(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.config.survival.ask", *words]
        return subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=self.environment | {"PYTHONPATH": str(settings.BASE_DIR)},
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path)
    yield database
    database.drop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Redis | Folder]:
    broker = Folder(tmp_path) if connection.vendor == "sqlite" else Redis(tmp_path)
    broker.start()
    yield broker
    if isinstance(broker, Redis):
        broker.crash()


@pytest.fixture
def alta(tmp_path: Path, database: Database, broker: Redis | Folder) -> Iterator[Crashing]:
    alta = Crashing(
        tmp_path,
        DJANGO_SETTINGS_MODULE="tests.config.survival.settings",
        CELERY_BROKER_URL=broker.url,
        EMAIL_URL=f"file://{tmp_path}/mails",
        **({"DATABASE_URL": database.url} if database.url else {}),
    )
    yield alta
    alta.clear()


@pytest.mark.django_db
def test_every_job_is_done_once_whatever_is_killed(
    alta: Crashing, database: Database, broker: Redis | Folder, tmp_path: Path
) -> None:
    alta.start()
    assert alta.python("prepare").wait() == 0
    asking = alta.python("ask", str(ROWS), str(EXPORTS), str(MAILS))
    effects = f"SELECT n FROM {TABLE}"
    until("the first jobs", lambda: len(database.rows(effects)) > 60)
    alta.kill()
    until("jobs after the first crash", lambda: len(database.rows(effects)) > 180)
    broker.crash()
    alta.kill()
    longest, _ = asking.communicate(timeout=60)
    assert database.unfinished(), "the crash came in the middle"
    broker.recover()
    until("the end of all jobs", lambda: database.unfinished() == 0)

    done = Counter(n for (n,) in database.rows(effects))
    assert done == Counter([*range(ROWS), *range(10_000, 10_000 + EXPORTS)])
    mails = "\n".join(file.read_text() for file in (tmp_path / "mails").iterdir())
    sent = Counter(re.findall(r"^Message-ID: (\S+)$", mails, re.MULTILINE))
    assert len(sent) == MAILS
    assert sum(sent.values()) - MAILS <= 2, "one copy a crash at most"
    assert asking.returncode == 0
    assert float(longest) < 5, "nobody who asked waited for the broker"  # SQLite: for its writer
    assert alta.stop(signal.SIGTERM) == 0
