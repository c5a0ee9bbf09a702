"""What bin/run decides before it starts anything, and the supervisor's configuration."""

import configparser
import os
import shlex
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from config import banner, celery, supervise

CONF = settings.BASE_DIR / "config" / "supervisord.conf"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("PUBLIC_URL", "ALLOWED_HOSTS", "DATABASE_URL", "WEB_WORKERS", "WEB_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("host", "url", "guessed"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", False),
        ("alta.lan", "http://alta.lan:8000", False),
        ("::1", "http://[::1]:8000", False),
        ("0.0.0.0", "http://127.0.0.1:8000", True),
        ("::", "http://127.0.0.1:8000", True),
    ],
)
def test_the_public_address_follows_the_host(host, url, guessed):
    variables = supervise.environment(host, 8000)
    assert variables["PUBLIC_URL"] == url
    assert variables["ALTA_LOCAL_URL"] == url
    assert ("ALTA_PUBLIC_URL_GUESSED" in variables) is guessed


def test_a_public_address_that_is_set_stays(monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://alta.example.com")
    assert "PUBLIC_URL" not in supervise.environment("127.0.0.1", 8000)


def test_every_address_means_every_name_of_this_machine(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "alta.example.com")
    allowed = supervise.environment("0.0.0.0", 8000)["ALLOWED_HOSTS"].split(",")
    assert allowed[:2] == ["alta.example.com", socket.gethostname()]
    assert "*" not in allowed


def test_one_web_process_writes_to_sqlite_and_two_to_postgresql(monkeypatch):
    assert supervise.environment("127.0.0.1", 8000)["WEB_WORKERS"] == "1"
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/alta")
    assert supervise.environment("127.0.0.1", 8000)["WEB_WORKERS"] == "2"
    monkeypatch.setenv("WEB_WORKERS", "5")
    assert supervise.environment("127.0.0.1", 8000)["WEB_WORKERS"] == "5"


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(supervise.CannotStart, match=rf"port {port} of 127\.0\.0\.1 is in use"):
            supervise.check_address("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(supervise.CannotStart, match=r"cannot listen on 192\.0\.2\.1"):
        supervise.check_address("192.0.2.1", 8000)


def test_a_data_folder_has_one_alta(tmp_path):
    with supervise.lock(tmp_path), pytest.raises(supervise.CannotStart, match="another Alta"):
        supervise.lock(tmp_path)
    supervise.lock(tmp_path).close()


def test_every_long_running_part_is_restarted_and_stopped_whole():
    conf = configparser.RawConfigParser()
    conf.read(CONF)
    parts = conf["group:alta"]["programs"].split(",")
    assert parts == ["web", "worker", "exports", "beat"]
    for part in parts:
        section = conf[f"program:{part}"]
        assert shlex.split(section["command"])[1:3] == ["-m", "config.guard"]
        assert section["autorestart"] == "true"
        assert section["killasgroup"] == "true"
        assert (section["stdout_logfile"], section["stderr_logfile"]) == ("/dev/fd/1", "/dev/fd/2")
    assert "unix_http_server" not in conf
    assert "inet_http_server" not in conf
    assert all("ALTA_DATA_DIR" in conf["supervisord"][key] for key in ("pidfile", "childlogdir"))


def test_supervisor_accepts_the_configuration(tmp_path):
    variables = os.environ | supervise.environment("127.0.0.1", 8000)
    program = (
        "import sys; from config.supervise import Options; o = Options(); o.realize(sys.argv[1:]);"
        "print(*sorted(p.name for g in o.process_group_configs for p in g.process_configs))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "-c", str(CONF)],
        env=variables | {"PYTHONPATH": str(settings.BASE_DIR), "ALTA_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "banner beat exports web worker\n"


def test_the_banner_shows_both_addresses_and_the_password_once():
    plain = banner.text("https://alta.example.com", [])
    assert "https://alta.example.com/scim/v2" in plain
    assert "Password" not in plain
    first = banner.text("https://alta.example.com", ["admin", "secret-words"])
    assert "admin" in first
    assert "secret-words" in first


def test_the_banner_says_where_a_proxy_finds_alta():
    local = "http://127.0.0.1:8000"
    assert f"Listens at {local}/" in banner.text("https://alta.example.com", [], local)
    assert "Listens at" not in banner.text(local, [], local)


def test_the_reader_of_the_folder_soon_sees_that_it_must_stop():
    with celery.app.connection_for_read() as connection:
        connection.SimpleQueue("test").queue.consume()
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=2.0)
        assert time.monotonic() - started < 1.5
