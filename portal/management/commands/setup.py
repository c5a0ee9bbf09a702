"""`setup`: prepare the installation; `bin/run` calls it at every start."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from portal import installation
from portal.management import commandline
from portal.operations.accounts import AccountError
from provisioning.operations import tokens

FIRST_PASSWORD = "first_password"  # the name of a file; config.banner reads it


class Command(commandline.Command):
    """Compile messages, collect static files, migrate, renumber tokens, make an administrator."""

    help = "Prepare the installation. Safe to repeat, and while other machines do the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument(
            "--keep-password",
            action="store_true",
            help="keep the first administrator's password in the data folder for bin/run to show",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is needed; print the first administrator's password, once."""
        try:
            with installation.alone():
                installation.compile_messages()
                installation.collect_static()
                installation.migrate()
                tokens.rekey()
                account = installation.first_administrator()
        except DatabaseError as error:
            words = " ".join(str(error).split())
            sys.exit(f"Alta cannot start: DATABASE_URL: the database says: {words}")
        except AccountError as error:
            sys.exit(
                "Alta cannot start: no account has the role administrator, and "
                f"«{installation.ADMINISTRATOR}» cannot be made: {error} "
                "Make one with bin/manage create_user."
            )
        if account is None:
            return
        if options["keep_password"]:
            self._keep("\n".join(account))
            return
        self.stdout.write(f"First administrator: {account[0]}\nPassword, shown once: {account[1]}")

    def _keep(self, text: str) -> None:
        """Hand the password to bin/run through a file that it removes after showing it.

        A start that fails in between then shows it the next time: it is never lost.
        """
        path = settings.SECRETS_DIR / FIRST_PASSWORD
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
