"""A PostgreSQL of the bench's own: thrown away afterwards, yet as durable as production's."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

# fsync, full_page_writes and synchronous_commit stay on, as a production has them. More memory
# than the default of 128 MB, and no checkpoint in the middle of a run of some seconds.
SETTINGS = {
    "listen_addresses": "''",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "effective_cache_size": "4GB",
    "wal_level": "minimal",  # a table filled in the transaction that makes it needs no log
    "max_wal_senders": "0",
    "shared_preload_libraries": "",
}
SUPERUSER = "postgres"


class Missing(Exception):
    """What the bench needs and does not find, in a sentence."""


class Cluster:
    """A PostgreSQL server in a folder, on a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = _binaries()

    def start(self) -> None:
        """Make the cluster and start it."""
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            user = pwd.getpwnam(SUPERUSER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run(
            "initdb", "-D", self.data, "-U", "alta", "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items() if value)
        self._run(
            "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "start",
            "-o", f"-k {self.folder} {options}",
        )  # fmt: skip

    def stop(self) -> None:
        """Stop at once: nothing of it is kept."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process that all others of the server descend from."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    @property
    def version(self) -> str:
        with self.connect("postgres") as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://alta@{quote(str(self.folder), safe='')}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; return its address."""
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        """Connect; each statement is its own transaction."""
        return psycopg.connect(self.url(database), autocommit=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.bin / program), *map(str, arguments)]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            command = ["runuser", "-u", SUPERUSER, "--", *command]
        # To a file: the server keeps the handle of its starter's output.
        with (self.folder / "output").open("w+b") as output:
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
            if done.returncode:
                output.seek(0)
                raise Missing(f"{program} failed: {output.read().decode(errors='replace')}")


def _binaries() -> Path:
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if _is_complete(path)]
    if folders:
        return max(folders, key=lambda path: int(path.parent.name.split(".")[0]))
    found = shutil.which("initdb")
    if found is None:
        raise Missing("bin/bench needs PostgreSQL's server: install it.")
    return Path(found).resolve().parent


def _is_complete(folder: Path) -> bool:
    return (folder / "initdb").exists() and (folder / "postgres").exists()
