"""`audit_retention`: remove the months of the trail that are older than what is kept."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from audit.operations import retention
from audit.operations.retention import CannotTrim
from portal.management.commandline import OperatorCommand, Refused, operator


class Command(OperatorCommand):
    """Do now what the daily job does."""

    help = "Remove whole months of the audit trail, as AUDIT_MONTHS says; one event each."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        """Remove, month by month, and tell."""
        if not settings.AUDIT_MONTHS:
            self.stdout.write("AUDIT_MONTHS is 0: the audit trail is kept for ever.")
            return
        months = retention.due()
        for month in months:
            try:
                if dry_run:
                    removal = retention.plan(month)
                else:
                    removal = retention.trim(month, actor=operator())
            except CannotTrim as reason:
                raise Refused(f"{month:%Y-%m} is kept: {reason}") from None
            done = "would be removed" if dry_run else "were removed"
            self.stdout.write(
                f"{month:%Y-%m}: {removal.events:,} events {done}, of the seals "
                f"{removal.first_seal} to {removal.last_seal}."
            )
        if not months:
            self.stdout.write("No month is older than what is kept.")
