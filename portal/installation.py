"""What must be in place before Alta serves: messages, static files, tables, an administrator.

Each step finds out whether it is needed, so that a second start is quick.
"""

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from babel.messages import mofile, pofile
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.utils.translation.reloader import translation_file_changed

from audit.actors import Actor
from portal import roles
from portal.operations import accounts

ADMINISTRATOR = "admin"
ADVISORY_LOCK = 0x414C5441  # "ALTA"
LOOKS_EVERY_S = 0.2
INSTALLER = Actor("system", "setup", "Alta")


@contextmanager
def alone() -> Iterator[None]:
    """Let one set-up run at a time: in the data folder by a file, in PostgreSQL by a lock."""
    with (settings.DATA_DIR / "setup.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            # The wait for another machine's set-up, and a migration, may take their time.
            cursor.execute("SET statement_timeout = 0")
            # Asked again and again: a statement that waits would hold up the indexes which the
            # other set-up builds CONCURRENTLY, and that set-up this one.
            while not _got_lock(cursor):
                time.sleep(LOOKS_EVERY_S)
        try:
            yield
        finally:
            connection.close()  # and with it the lock


def _got_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
    return bool(cursor.fetchone()[0])


def compile_messages() -> int:
    """Compile the message files that changed, for this process too; return how many."""
    compiled = 0
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                continue
            with source.open("rb") as file:
                catalog = pofile.read_po(file)
            fresh = target.with_suffix(".new")
            with fresh.open("wb") as file:
                mofile.write_mo(file, catalog)
            fresh.replace(target)  # at once: another process may be reading
            # Django has read the catalogue at its start, and would keep what it found then.
            translation_file_changed(sender=None, file_path=target)
            compiled += 1
    return compiled


def collect_static() -> bool:
    """Collect the static files under hashed names when one of them changed; return whether."""
    stamp = settings.DATA_DIR / "static.stamp"
    digest = _static_digest()
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest, encoding="utf-8")
    return True


def _static_digest() -> str:
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            with storage.open(path) as file:
                digest.update(f"{path}\0".encode() + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def migrate() -> None:
    """Bring the tables, the roles and the providers to this release."""
    call_command("migrate", interactive=False, verbosity=0)


def first_administrator() -> tuple[str, str] | None:
    """Create an administrator when there is none; return the name and the generated password.

    Raises AccountError when the name belongs to an account without that role.
    """
    if accounts.has_administrator():
        return None
    password = accounts.new_password()
    accounts.create(
        ADMINISTRATOR,
        role=roles.ADMINISTRATOR,
        password=password,
        actor=INSTALLER,
        must_change_password=True,
    )
    return ADMINISTRATOR, password
