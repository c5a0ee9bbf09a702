"""What the commands of an operator share: who acts, how a refusal and a wrong call end, tables.

Exit codes: 0 done; 1 refused, also for a row that does not exist, with the reason on standard
error; 2 a wrong call, also for a choice that is not offered.
"""

import getpass
import socket
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import translation
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit.actors import Actor, Origin
from portal.operations.accounts import AccountError
from provisioning.errors import ProvisioningError

WRONG_CALL = 2
PROGRAM = "bin/manage"


class Refused(CommandError):
    """A rule forbids what was asked; nothing was changed."""


class WrongCall(Exception):
    """The command was called with something that no installation offers."""


class Command(BaseCommand):
    """A command of bin/manage, which is how its usage names it."""

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Return the parser of the command line, under the name that people type."""
        self.parser = super().create_parser(prog_name, subcommand, **options)
        self.parser.prog = f"{PROGRAM} {subcommand}"
        return self.parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; a wrong call ends as the parser ends one."""
        try:
            return super().execute(*args, **options)
        except WrongCall as error:
            self.parser.error(str(error))  # ends the process
            raise


class OperatorCommand(Command):
    """A command that turns its arguments into one operation. It speaks English, as scripts do."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run; a broken rule or an absent database is one sentence and exit code 1."""
        try:
            with translation.override("en"):
                return super().execute(*args, **options)
        except (ProvisioningError, AccountError) as error:
            raise Refused(str(error)) from error
        except DatabaseError as error:
            words = " ".join(str(error).split())
            raise Refused(
                f"The database refused: {words} (bin/manage setup prepares a new one)."
            ) from error

    def table(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under their names, in columns."""
        lines = [tuple(names), *(tuple(row) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def operator() -> Actor:
    """Return who acts: the user of the operating system, who need not have a portal account."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        name = "unknown"
    origin = Origin(user_agent=f"bin/manage on {socket.gethostname()}")
    return Actor("system", f"cli:{name}"[:64], f"{name} (bin/manage)", origin=origin)


def uuid(text: str) -> UUID:
    """Read an id from the command line."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"not a UUID: {text!r}") from None


def moment(value: datetime | None) -> str:
    """Return a time as a table shows it."""
    return value.strftime("%Y-%m-%d %H:%M UTC") if value else "–"


def iso(value: datetime | None) -> str | None:
    """Return a time as JSON carries it."""
    return value.isoformat(timespec="seconds") if value else None


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what to call with each number of things done; a terminal shows a bar."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda count: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(what, total=total)
        yield lambda count: bars.advance(task, count)
