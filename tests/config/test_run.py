"""bin/run from end to end: it serves, restarts what dies, and leaves nothing behind."""

import os
import signal
import subprocess
import time

import pytest

from tests.config.installation import RUN, Installation, until


@pytest.fixture
def alta(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    installation.clear()


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

    for words in (
        "granian",
        "worker --queues default",
        "worker --queues exports",
        "beat --loglevel",
    ):
        old = until(words, lambda words=words: alta.part(words))
        os.kill(old, signal.SIGKILL)
        until(f"another {words}", lambda words=words, old=old: alta.part(words) not in (None, old))
    until("the restarted web server", alta.is_ready)

    assert alta.stop(signal.SIGTERM) == 0

    alta.start()  # a second start knows the administrator, and a killed supervisor leaves nothing
    until("the second banner", lambda: alta.log.read_text().count("SCIM URL") == 2)
    assert alta.log.read_text().count("Password") == 1
    alta.stop(signal.SIGKILL)


def test_workers_that_die_again_and_again_end_nothing(alta):
    alta.start()
    time.sleep(3)  # a part that never ran is given up: let it run
    for _ in range(20):
        for pid in alta.web_workers():
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.4)
    until("a web server that stays", alta.is_ready)
    for words in (
        "granian",
        "worker --queues default",
        "worker --queues exports",
        "beat --loglevel",
    ):
        assert alta.part(words), words
    assert alta.stop(signal.SIGTERM) == 0
