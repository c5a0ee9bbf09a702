"""What is measured: Alta as it is shipped, the vanilla project, the floor. Each is started here."""

import configparser
import hashlib
import json
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.client import Ask, Connection, WrongReply, ask
from bench.cluster import Cluster, Missing
from bench.load import company
from config import supervise

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PEERS_PYTHON = Path(os.environ.get("BENCH_PYTHON", ROOT / "bench" / ".venv" / "bin" / "python"))
WORKERS = 2
STARTS_WITHIN_S = 30
JSON = "Content-Type: application/scim+json\r\n"
# What a caller's shell may hold and a measurement must not depend on.
FORGOTTEN = ("DATABASE_URL", "SECRET_KEY", "TOKEN_PEPPERS", "WEB_WORKERS", "PROVISIONING_LOG")


class Subject:
    """A server under measurement, with a database of its own in the cluster."""

    name: str
    settles_s = 0.1  # after a run, until what it put off is done

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.headers = ""
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the database and what must be in it."""
        raise NotImplementedError

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the server's command line and what it needs in its environment."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it answers. Raises Missing."""
        command, variables = self.command()
        kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=kept | variables, stdout=log, stderr=log, start_new_session=True
        )
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                time.sleep(1)  # the second worker
                return
        self.stop()
        said = (self.folder / "server.log").read_text(errors="replace")[-2_000:]
        raise Missing(f"{self.name} does not start: {said}")

    def stop(self) -> None:
        """Stop the server and all its processes."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101
        return self._process.pid

    def request(
        self, method: str, path: str, body: bytes = b"", right: tuple[int, ...] = (200,)
    ) -> Ask:
        """Return a request with the token."""
        return ask(method, path, headers=self.headers, body=body, right=right)

    def get(self, path: str) -> Any:
        """Ask once, outside of any measurement."""
        connection = Connection(self.port)
        try:
            return json.loads(connection.send(self.request("GET", path)))
        finally:
            connection.close()

    @property
    def database(self) -> str:
        return self.name.replace("-", "_")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Alta(Subject):
    """Alta as config/supervisord.conf starts its web server; jobs do not run beside it."""

    name = "alta"
    settles_s = 1.3  # the provisioning log is written a second later
    of: "Alta | None" = None  # whose database it uses

    def __init__(self, cluster: Cluster, folder: Path, name: str = "alta") -> None:
        super().__init__(cluster, folder)
        self.name = name
        self.application = ""  # instead of the shipped one
        self.more: dict[str, str] = {}
        self.password = self._session = ""

    def twin(self, name: str, *, application: str = "", **variables: str) -> "Alta":
        """Return another server on the same database, with something different."""
        twin = Alta(self.cluster, self.folder, name)
        twin.headers, twin.application, twin.more = self.headers, application, variables
        twin.of = self
        return twin

    @property
    def database(self) -> str:
        return self.of.database if self.of else super().database

    @property
    def variables(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.cluster.url(self.database),
            "ALTA_DATA_DIR": str(self.folder / "data"),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "WEB_WORKERS": str(WORKERS),
            "PYTHONPATH": str(ROOT),
        } | self.more

    def prepare(self) -> None:
        """Set up, as bin/run does; a token for Entra ID, the custom attributes, an auditor."""
        self.cluster.create(self.database)
        self.manage("setup")
        secret = self.manage("scim_token", "generate", "--provider", "entra-id").strip()
        self.headers = f"Authorization: Bearer {secret}\r\n{JSON}"
        self.run("bench.load", "directory", "--users", "0", "--members")
        self.password = secrets.token_urlsafe(18)
        self.manage("create_user", "eva", "--role", "auditor", ALTA_PASSWORD=self.password)

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return the web server's line of supervisord.conf, as bin/run fills it in."""
        parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
        parser.read(ROOT / "config" / "supervisord.conf")
        line = parser["program:web"]["command"]
        filled = supervise.environment("127.0.0.1", self.port) | self.variables
        filled["WEB_WORKERS"] = str(WORKERS)
        line = re.sub(r"%\(ENV_(\w+)\)s", lambda found: filled[found[1]], line)
        if self.application:
            line = line.replace("config.rsgi:application", self.application)
        return shlex.split(line), filled

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run a management command; return what it prints."""
        return self._python([str(ROOT / "manage.py"), *arguments], variables)

    def run(self, module: str, *arguments: str) -> str:
        """Run a module of the bench on this database; its progress is shown."""
        return self._python(["-m", module, *arguments], {}, is_shown=True)

    def _python(
        self, arguments: list[str], variables: dict[str, str], *, is_shown: bool = False
    ) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | self.variables | variables,
            stdout=subprocess.PIPE,
            stderr=None if is_shown else subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Missing(f"{' '.join(arguments)} failed: {done.stderr or done.stdout}")
        return done.stdout

    def watched(self, output: Path, *arguments: str) -> tuple[float, float]:
        """Run a command that writes much to a file; return its seconds and its peak of MiB."""
        command, start = [sys.executable, str(ROOT / "manage.py"), *arguments], time.monotonic()
        with output.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self.variables, stdout=file
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise Missing(f"{' '.join(arguments)} failed with {process.returncode}")
        return time.monotonic() - start, usage.ru_maxrss / 1024

    def sign_in(self) -> str:
        """Sign the auditor in; return the header lines of her session."""
        connection, page = Connection(self.port), "/entrar/"
        try:
            head, body = connection.exchange(ask("GET", page))
            token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', body)
            cookies = _cookies(head)
            assert token  # noqa: S101
            form = f"csrfmiddlewaretoken={token[1].decode()}&username=eva&password={self.password}"
            headers = (
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Origin: http://127.0.0.1:{self.port}\r\nCookie: {_header(cookies)}\r\n"
            )
            sent = ask("POST", page, headers=headers, body=form.encode(), right=(302,))
            head, _ = connection.exchange(sent)
            return f"Cookie: {_header(cookies | _cookies(head))}\r\n"
        finally:
            connection.close()

    def as_auditor(self, path: str) -> Ask:
        """Return a request of the signed-in auditor."""
        if not self._session:
            self._session = self.sign_in()
        return ask("GET", path, headers=self._session)


def _cookies(head: bytes) -> dict[str, str]:
    found = re.findall(rb"(?i)\r\nset-cookie: *([^=]+)=([^;\r]*)", head)
    return {name.decode(): value.decode() for name, value in found}


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


class Vanilla(Subject):
    """django-scim2 with its defaults under gunicorn with two sync workers."""

    name = "vanilla"
    is_persistent = False

    def prepare(self) -> None:
        """Make the tables and a token."""
        self.cluster.create(self.database)
        (self.folder / "vanilla_migrations").mkdir()
        (self.folder / "vanilla_migrations" / "__init__.py").touch()
        self._manage("makemigrations", "vanilla")
        self._manage("migrate")
        secret = secrets.token_hex(32)
        self.headers = f"Authorization: Bearer {secret}\r\n{JSON}"
        with self.cluster.connect(self.database) as connection:
            connection.execute(
                "INSERT INTO vanilla_user (username, password, is_superuser, is_staff, is_active,"
                " first_name, last_name, email, date_joined, scim_id)"
                " VALUES ('idp', '', false, false, true, '', '', '', now(), 'idp')"
            )
            connection.execute(
                "INSERT INTO vanilla_token (digest, user_id) SELECT %s, id FROM vanilla_user",
                [hashlib.sha256(secret.encode()).hexdigest()],
            )

    def command(self) -> tuple[list[str], dict[str, str]]:
        bind = f"127.0.0.1:{self.port}"
        command = ["-m", "gunicorn", "-w", str(WORKERS), "-b", bind, "vanilla.wsgi"]
        return [str(PEERS_PYTHON), *command], self._variables

    @property
    def _variables(self) -> dict[str, str]:
        variables = {
            "VANILLA_DATABASE_URL": self.cluster.url(self.database),
            "DJANGO_SETTINGS_MODULE": "vanilla.settings",
            "PYTHONPATH": f"{PEERS}:{self.folder}",
            "PYTHONSAFEPATH": "1",
        }
        return variables | ({"VANILLA_PERSISTENT": "1"} if self.is_persistent else {})

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(PEERS_PYTHON), "-m", "django", *arguments],
            cwd=self.folder,
            env=os.environ | self._variables,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Missing(f"vanilla: django {arguments[0]} failed: {done.stderr}")


class PersistentVanilla(Vanilla):
    """The same project and database, its connections kept open."""

    name = "vanilla-persistent"
    is_persistent = True

    def __init__(self, cluster: Cluster, folder: Path, vanilla: Vanilla) -> None:
        super().__init__(cluster, folder)
        self.vanilla = vanilla

    def prepare(self) -> None:
        self.headers = self.vanilla.headers

    @property
    def database(self) -> str:
        return self.vanilla.database


class Floor(Subject):
    """What a create with its audit row costs without a framework."""

    name = "floor"

    def prepare(self) -> None:
        self.cluster.create(self.database)
        secret = secrets.token_hex(32)
        self.headers = f"Authorization: Bearer {secret}\r\n{JSON}"
        sys.path.insert(0, str(PEERS))
        from bench.peers.floor import TABLES

        with self.cluster.connect(self.database) as connection:
            connection.execute(TABLES)
            digest = hashlib.sha256(secret.encode()).hexdigest()
            connection.execute("INSERT INTO token VALUES (%s, 'entra-id')", [digest])

    def command(self) -> tuple[list[str], dict[str, str]]:
        command = [
            sys.executable, "-m", "granian", "bench.peers.floor:application", "--interface", "wsgi",
            "--http", "1", "--no-ws", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", str(WORKERS), "--log-level", "error",
        ]  # fmt: skip
        variables = {
            "FLOOR_DATABASE_URL": self.cluster.url(self.database),
            "PYTHONPATH": str(ROOT),
        }
        return command, variables


def vanilla_rows(first: int, end: int) -> Iterable[tuple[Any, ...]]:
    """Yield made users as rows of the vanilla project."""
    for number in range(first, end):
        person = company.person(number)
        yield (
            number + 1000, "", False, person.user_name, person.given_name, person.family_name,
            person.user_name, False, True, "2025-01-01T00:00:00Z", str(number + 1000),
            person.external_id, person.user_name,
        )  # fmt: skip


__all__ = [
    "Alta", "Floor", "PersistentVanilla", "Subject", "Vanilla", "WrongReply", "vanilla_rows",
]  # fmt: skip
