"""`reset_password NAME`: let somebody in who forgot the password, or is locked out."""

import os
from typing import Any

from django.core.management.base import CommandParser

from portal.management.commandline import OperatorCommand, Refused, operator
from portal.models import Account
from portal.operations import accounts


class Command(OperatorCommand):
    """Give a portal account a new password; its sessions end, a lock is lifted."""

    help = (
        "Give a portal account a new password: ALTA_PASSWORD, else one that is made, printed "
        "alone on standard output, and changed at the next sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        """Set it."""
        try:
            account = Account.objects.get(username=name)
        except Account.DoesNotExist:
            raise Refused(f"There is no portal account {name!r}.") from None
        given = os.environ.get("ALTA_PASSWORD", "")
        password = given or accounts.new_password()
        accounts.set_password(
            account.pk, password, must_change_password=not given, actor=operator()
        )
        self.stderr.write(f"The password of «{name}» is set.")
        if not given:
            self.stdout.write(password)
