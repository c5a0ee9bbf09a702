"""`check_messages`: every text that people see has its translation."""

from typing import Any

from django.core.management.base import CommandError

from portal import messages
from portal.management import commandline


class Command(commandline.Command):
    """List what is missing, fuzzy or no longer asked for."""

    help = "Check that every text of the sources is translated. Exit code 1 when one is not."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check."""
        found = messages.problems()
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} texts need a translator.")
