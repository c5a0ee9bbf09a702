"""`simulate_idp entra|okta`: play an IdP's conversation against a SCIM server over HTTP."""

import os
import secrets
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import DatabaseError
from rich.console import Console

from portal import reconciliation
from portal.management import commandline
from portal.management.commands import audit_reconcile
from portal.simulator.client import base_url
from portal.simulator.run import IDPS, Options, run
from provisioning import secrets as secrets_of_tokens
from provisioning.models.tokens import recognise
from provisioning.reconciliation import directory


class Command(commandline.Command):
    """Provision simulated people and teams, and report every difference found on reading back."""

    help = "Play the real conversation of Entra ID or Okta against a SCIM server, then verify it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("idp", choices=sorted(IDPS))
        parser.add_argument("--url", required=True, type=_url, help="SCIM base, …/scim/v2")
        parser.add_argument("--token", default="", help="bearer token; default: $SCIM_TOKEN")
        parser.add_argument("--users", type=_count, default=50)
        parser.add_argument("--groups", type=_count, default=3)
        parser.add_argument("--seed", default="", help="repeat a run: the same people and teams")
        parser.add_argument("--workers", type=_count, default=1, help="parallel requests")
        parser.add_argument(
            "--no-reconcile",
            action="store_true",
            help="do not compare the directory with its events in the end",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary here too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and exit 1 when anything was not as sent."""
        token = options["token"] or os.environ.get("SCIM_TOKEN", "")
        if not token:
            raise commandline.WrongCall("Give --token or set SCIM_TOKEN.")
        code = run(
            Options(
                idp=options["idp"],
                url=options["url"],
                token=token,
                users=options["users"],
                groups=options["groups"],
                seed=options["seed"] or secrets.token_hex(3),
                workers=max(1, options["workers"]),
                json_file=options["json"],
            ),
            Console(),
            Console(stderr=True),
        )
        if not options["no_reconcile"] and _is_of_this_installation(token):
            code = max(code, self._reconcile())
        if code:
            sys.exit(code)

    def _reconcile(self) -> int:
        """Compare the directory with its events; return 1 when something does not follow."""
        with commandline.bar("Comparing", directory.size()) as on_rows:
            result = reconciliation.reconcile(on_rows)
        for line in audit_reconcile.lines(result):
            self.stdout.write(line)
        return int(bool(result.discrepancies))


def _is_of_this_installation(token: str) -> bool:
    """Return whether the database at hand is that of the server: it knows the token."""
    try:
        return secrets_of_tokens.is_well_formed(token) and bool(
            recognise(secrets_of_tokens.digests(token))
        )
    except DatabaseError:  # none at hand, or one without tables
        return False


def _url(text: str) -> str:
    try:
        return base_url(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"not a whole number from 0 on: {text!r}")
    return int(text)
