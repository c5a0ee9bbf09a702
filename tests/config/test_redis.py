"""A real worker on a real Redis does what is due; without the broker nothing is lost."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own, on a socket."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.fail("redis-server is missing: bin/test installs it")
    socket = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    until(socket.exists)
    yield f"redis+socket://{socket}"
    process.kill()
    process.wait()


def until(done, seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def test_an_expired_token_is_recorded_by_a_worker_on_redis(redis_url, tmp_path):
    environment = os.environ | {
        "ALTA_DATA_DIR": str(tmp_path / "data"),
        "CELERY_BROKER_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    environment.pop("DATABASE_URL", None)

    def python(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def shell(code: str) -> str:
        return python("manage.py", "shell", "-v", "0", "-c", code)

    python("manage.py", "migrate", "-v", "0")
    python("manage.py", "scim_token", "generate", "--provider", "okta")
    shell(
        "from provisioning.models import Token; from django.utils import timezone;"
        "from provisioning.tasks import expire_tokens;"
        "Token.objects.update(expires_at=timezone.now()); expire_tokens.delay()"
    )
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config.celery:app", "worker", "--pool", "solo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    count = (
        "from audit.models import Event; print(Event.objects.filter(type='token.expired').count())"
    )
    try:
        until(lambda: shell(count).strip() == "1")
    finally:
        worker.kill()
        worker.wait()
