"""`audit_seal`: seal what happened, now."""

from typing import Any

from audit.evidence import sealing
from portal.management.commandline import OperatorCommand


class Command(OperatorCommand):
    """Do once what the background job does every few seconds."""

    help = "Seal the events that no seal covers yet. Safe at any time, also beside the job."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal until nothing is left."""
        made = 0
        while step := sealing.seal_all():
            made += step
        self.stdout.write(f"{made} seals made." if made != 1 else "1 seal made.")
