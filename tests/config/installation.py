"""A started bin/run, for tests that need the real web server or the real supervisor."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.conf import settings

RUN = settings.BASE_DIR / "bin" / "run"
PATIENCE_S = 60
Found = TypeVar("Found")


def processes(folder: Path) -> dict[int, str]:
    """Return {pid: command line} of the living processes that were started with a data folder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"ALTA_DATA_DIR={folder}".encode() in variables.split(b"\0") and command:
            found[int(entry.name)] = command
    return found


def parent(pid: int) -> int:
    """Return the parent of a process, or 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(status.rpartition(") ")[2].split()[1])


def until(what: str, condition: Callable[[], Found]) -> Found:
    """Wait until a condition holds, and return what it returned."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


class Installation:
    """A started bin/run."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, folder: Path, **settings: str) -> None:
        self.settings = settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.folder = folder / "a folder"
        self.log = folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return kept | {"ALTA_DATA_DIR": str(self.folder)} | self.settings

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [RUN, "--port", str(self.port)],
                env=self.environment,
                cwd="/",
                stdout=log,
                stderr=log,
            )
        until("the first answer", self.is_ready)

    def manage(self, *words: str) -> str:
        """Run a command and return what it printed."""
        done = subprocess.run(
            [RUN.with_name("manage"), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5):
                return True
        except OSError:
            return False

    def part(self, words: str) -> int | None:
        return next((pid for pid, line in processes(self.folder).items() if words in line), None)

    def web_workers(self) -> list[int]:
        """Return the processes of the web server that answer, which their parent restarts."""
        web = [pid for pid, line in processes(self.folder).items() if "granian" in line]
        return [pid for pid in web if parent(pid) in web]

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        until("the end of every process", lambda: not processes(self.folder))
        return code

    def clear(self) -> None:
        """Leave nothing behind, however the test ended."""
        for pid in processes(self.folder):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
