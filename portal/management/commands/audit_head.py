"""`audit_head`: the newest seal, to be kept elsewhere."""

import json
from typing import Any

from audit.evidence import seals
from portal.management.commandline import OperatorCommand, Refused


class Command(OperatorCommand):
    """Print the head of the chain for `audit_verify --expect-head`."""

    help = "Print the newest seal as JSON. Keep it where Alta's operators cannot alter it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        seal = seals.newest()
        if seal is None:
            raise Refused("There is no seal yet: bin/manage audit_seal makes the first one.")
        self.stdout.write(json.dumps(seals.head(seal)))
