"""`audit_key`: the public key of the seals, for the auditor."""

from typing import Any

from audit.evidence import keys
from portal.management.commandline import OperatorCommand


class Command(OperatorCommand):
    """Print the public key of the key that signs."""

    help = "Print the public key that verifies the seals, as PEM; its key id on standard error."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        public = keys.configured()[0]
        self.stderr.write(f"Key id {keys.key_id(public)}")
        self.stdout.write(keys.to_pem(public), ending="")
