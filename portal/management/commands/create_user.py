"""`create_user NAME --role administrator|auditor`: somebody who signs in to the portal."""

import os
from typing import Any

from django.core.management.base import CommandParser

from portal import roles
from portal.management.commandline import OperatorCommand, operator
from portal.operations import accounts


class Command(OperatorCommand):
    """Create a portal account."""

    help = (
        "Create a portal account. The password comes from ALTA_PASSWORD; without it one is made, "
        "printed alone on standard output, and changed at the first sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", required=True, choices=roles.ROLES)
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, name: str, role: str, email: str, **options: Any) -> None:
        """Create it."""
        given = os.environ.get("ALTA_PASSWORD", "")
        password = given or accounts.new_password()
        account = accounts.create(
            name,
            role=role,
            email=email,
            password=password,
            must_change_password=not given,
            actor=operator(),
        )
        self.stderr.write(f"Account «{account.get_username()}» with the role {role} is created.")
        if not given:
            self.stdout.write(password)
