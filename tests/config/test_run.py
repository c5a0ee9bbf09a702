"""bin/run from end to end: it serves, restarts what dies, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

RUN = settings.BASE_DIR / "bin" / "run"
PATIENCE_S = 60


def processes(folder):
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


def until(what, condition):
    """Wait until a condition holds, and return what it returned."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


class Installation:
    """A started bin/run."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder / "a folder"
        self.log = folder / "log"
        self.process = None

    def start(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [RUN, "--port", str(self.port)],
                env=kept | {"ALTA_DATA_DIR": str(self.folder)},
                cwd="/",
                stdout=log,
                stderr=log,
            )
        until("the first answer", self.is_ready)

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5):
                return True
        except OSError:
            return False

    def part(self, words):
        return next((pid for pid, line in processes(self.folder).items() if words in line), None)

    def stop(self, number):
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        until("the end of every process", lambda: not processes(self.folder))
        return code


@pytest.fixture
def alta(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    for pid in processes(installation.folder):
        os.kill(pid, signal.SIGKILL)
    installation.process.wait(PATIENCE_S)


def test_bin_run_serves_restarts_and_stops(alta):
    alta.start()
    banner = until(
        "the banner", lambda: "Password" in alta.log.read_text() and alta.log.read_text()
    )
    assert f"http://127.0.0.1:{alta.port}/scim/v2" in banner
    assert banner.count("Password") == 1
    assert not (alta.folder / "secrets" / "first_password").exists()

    second = subprocess.run(
        [RUN, "--port", "1"],
        env=os.environ | {"ALTA_DATA_DIR": str(alta.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "another Alta already runs" in second.stderr

    for words in ("granian", "worker --pool", "beat --loglevel"):
        old = until(words, lambda words=words: alta.part(words))
        os.kill(old, signal.SIGKILL)
        until(f"another {words}", lambda words=words, old=old: alta.part(words) not in (None, old))
    until("the restarted web server", alta.is_ready)

    assert alta.stop(signal.SIGTERM) == 0

    alta.start()  # a second start knows the administrator, and a killed supervisor leaves nothing
    until("the second banner", lambda: alta.log.read_text().count("SCIM URL") == 2)
    assert alta.log.read_text().count("Password") == 1
    alta.stop(signal.SIGKILL)
