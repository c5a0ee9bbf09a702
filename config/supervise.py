"""What bin/run runs: prepares the installation, then supervises its processes in the foreground."""

import argparse
import contextlib
import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from supervisor import events, poller
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.states import SupervisorStates
from supervisor.supervisord import Supervisor

from config import env

ROOT = Path(__file__).resolve().parent.parent
ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 — recognised, not chosen
SQLITE = "sqlite://"
MOST_CONNECTIONS = 4096  # of one web process: an idle one costs it some kilobytes
OTHER_FILES = 256


class CannotStart(Exception):
    """Why Alta cannot be started, in one sentence."""


class Poller(poller.Poller):
    """Supervisor's, which looks for a signal and for ended parts once a second: five times."""

    def poll(self, timeout: float) -> Any:
        return super().poll(min(timeout, 0.2))


class Options(ServerOptions):
    """Supervisor's options. A closed terminal stops everything; so does a part that never ran.

    A part that ran and keeps dying is started again for ever, after some seconds each time.
    """

    failed: str = ""
    supervisor: Supervisor

    def __init__(self) -> None:
        super().__init__()
        self.poller = Poller(self)
        self.proven: set[str] = set()

    def setsignals(self) -> None:
        """Install the handlers; called when the event registry is fresh."""
        super().setsignals()
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup keeps ignoring it
            signal.signal(signal.SIGHUP, self._hang_up)
        events.subscribe(events.ProcessStateRunningEvent, self._trust)
        events.subscribe(events.ProcessStateBackoffEvent, self._try_again)
        events.subscribe(events.ProcessStateFatalEvent, self._give_up)
        events.subscribe(events.SupervisorRunningEvent, self._start_now)

    def _start_now(self, event: Any) -> None:
        """Start the parts before supervisor's loop first waits, which is for a second."""
        for group in self.supervisor.process_groups.values():
            group.transition()

    def _hang_up(self, number: int, frame: Any) -> None:
        self.signal_receiver.receive(signal.SIGTERM, frame)

    def _trust(self, event: Any) -> None:
        self.proven.add(event.process.config.name)

    def _try_again(self, event: Any) -> None:
        process = event.process
        if process.config.name in self.proven:
            process.backoff = min(process.backoff, process.config.startretries)

    def _give_up(self, event: Any) -> None:
        self.failed = self.failed or event.process.config.name
        self.mood = SupervisorStates.SHUTDOWN


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bin/run", description="Start Alta: web server, background jobs and their schedule."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", default=8000, type=_port, help="port to listen on (8000)")
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"not a port from 1 to 65535: {text!r}")
    return int(text)


def check_address(host: str, port: int) -> None:
    """Raise CannotStart when the web server could not listen there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise CannotStart(f"--host {host} is not an address of this machine.") from None
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotStart(
                    f"port {port} of {host} is in use; choose another with --port."
                ) from None
            raise CannotStart(f"it cannot listen on {host}, port {port}: {error}.") from None


def environment(host: str, port: int) -> dict[str, str]:
    """Return the variables that the parts of Alta need, beside those that are set already."""
    shown = "127.0.0.1" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
    local = f"http://{shown}:{port}"
    names = [socket.gethostname(), *_own_addresses()] if host in ANY_ADDRESS else [shown]
    embedded = env.read("DATABASE_URL", SQLITE, str).startswith(SQLITE)
    threads = env.read("WEB_THREADS", "4", env.whole_number(1, 64))
    workers = env.read("WEB_WORKERS", "1" if embedded else "2", env.whole_number(1, 64))
    variables = {
        "ALTA_PYTHON": sys.executable,
        "WEB_WORKERS": str(workers),
        "WEB_THREADS": str(threads),
        "ALTA_CONNECTIONS": str(connections()),
        "ALTA_HOST": host or "0.0.0.0",  # noqa: S104
        "ALTA_PORT": str(port),
        "ALTA_LOCAL_URL": local,
        "ALLOWED_HOSTS": ",".join([*env.read("ALLOWED_HOSTS", "", env.hosts), *names]),
    }
    if not os.environ.get("PUBLIC_URL") and not os.environ.get("PUBLIC_URL_FILE"):
        variables["PUBLIC_URL"] = local
        if host in ANY_ADDRESS:
            variables["ALTA_PUBLIC_URL_GUESSED"] = "1"
    return variables


def connections() -> int:
    """Return how many connections a web process holds, and let it and its kin open that many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(most - OTHER_FILES, 64)


def _own_addresses() -> list[str]:
    """Return this machine's address on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def make_absolute() -> None:
    """Resolve the paths of the environment here: the parts of Alta run in the project's folder."""
    for name, value in os.environ.items():
        if value and (name == "ALTA_DATA_DIR" or name.endswith("_FILE")):
            os.environ[name] = str(Path(value).expanduser().absolute())
    os.chdir(ROOT)


def lock(folder: Path) -> IO[str]:
    """Take the data folder for this process. Raises CannotStart when another one has it."""
    file = (folder / "run.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(
            f"another Alta already runs with the data folder {folder}; stop it first, "
            "or choose another folder with ALTA_DATA_DIR."
        ) from None
    return file


def open_outputs() -> None:
    """Make /dev/fd/1 and /dev/fd/2 something that can be opened, as supervisor does.

    A journal's socket or somebody else's terminal cannot: a `cat` then carries the lines there.
    """
    for number in (1, 2):
        # To a file, each process adds at the end: no one writes over another's lines.
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
        fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_APPEND)
        try:
            os.close(os.open(f"/dev/fd/{number}", os.O_WRONLY | os.O_APPEND))
        except OSError:
            pipe = subprocess.Popen(
                ["/bin/cat"], stdin=subprocess.PIPE, stdout=number, start_new_session=True
            ).stdin
            if pipe is not None:
                os.dup2(pipe.fileno(), number)


def supervise() -> int:
    """Run all parts until a signal says stop; return the exit code."""
    options = Options()
    options.realize(["-c", str(ROOT / "config" / "supervisord.conf")], doc="")
    options.first, options.test = True, False
    if os.getuid() == 0:
        options.uid = 0  # supervisor warns unless told that this is meant
    options.supervisor = Supervisor(options)
    with contextlib.suppress(asyncore.ExitNow):  # how supervisor says that all parts have stopped
        options.supervisor.main()
    if options.failed:
        sys.stderr.write(f"Alta stopped: its part «{options.failed}» could not be started.\n")
        return 1
    return 0


def main() -> int:
    """Check, prepare, run. Returns the exit code; 1 comes with one sentence on standard error."""
    asked = arguments()
    try:
        make_absolute()
        os.environ.update(environment(asked.host, asked.port))
        folder = env.read("ALTA_DATA_DIR", str(ROOT / "var"), env.data_dir)
        os.environ["ALTA_DATA_DIR"] = str(folder)
        held = lock(folder)
        check_address(asked.host, asked.port)
    except (CannotStart, env.WrongSetting) as error:
        sys.stderr.write(f"Alta cannot start: {error}\n")
        return 1
    setup = [sys.executable, "-m", "config.guard", "manage", "setup", "--keep-password"]
    prepared = subprocess.run(setup, check=False)  # noqa: S603
    if prepared.returncode:
        return 1
    open_outputs()
    with held:
        return supervise()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while it still prepares
        sys.exit(130)
