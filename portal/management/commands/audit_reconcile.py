"""`audit_reconcile`: name every row without its event, and every event without its change."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from portal import reconciliation
from portal.management.commandline import OperatorCommand, bar
from provisioning.reconciliation import directory
from provisioning.reconciliation.comparing import Discrepancy, Problem, Result, as_json

DIFFERENT = 1
CANNOT_TELL = 2


class Command(OperatorCommand):
    """Compare what is kept with what the trail tells."""

    help = (
        "Compare users, groups, tokens, attributes, providers and accounts with their events. "
        "Exit code 0: all follows from its events. 1: something does not, and what. 2: cannot tell."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and tell."""
        try:
            with bar("Comparing", directory.size()) as on_rows:
                result = reconciliation.reconcile(on_rows)
        except DatabaseError as error:
            text = " ".join(str(error).split())
            raise CommandError(f"The database refused: {text}", returncode=CANNOT_TELL) from error
        for line in lines(result):
            self.stdout.write(line)
        if result.discrepancies:
            raise CommandError("Not everything follows from its events.", returncode=DIFFERENT)


def lines(result: Result) -> Iterator[str]:
    """Tell a result, a discrepancy a line."""
    yield from map(sentence, result.discrepancies)
    if result.more:
        yield f"… and {result.more:,} more."
    yield f"Compared {result.rows:,} rows with {result.events:,} events."
    if result.untold:
        yield (
            f"Of {result.untold:,} rows nothing is known: they are older than the trail that is "
            "kept, and nothing has happened to them since."
        )


def sentence(found: Discrepancy) -> str:
    """Return a discrepancy as a line for operators."""
    what = f"{found.kind} {found.id} «{found.label}»"
    if found.problem is not Problem.DIFFERS:
        return f"DIFFERS: {what}: {found.problem.value}."
    told, kept = as_json(found.told), as_json(found.kept)
    return f"DIFFERS: {what}: {found.attribute} is {kept}, and its events say {told}."
