"""`scim_token generate|list|activate|deactivate|renew|remove`: tokens, from the command line."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from portal.management.commandline import (
    PROGRAM,
    OperatorCommand,
    WrongCall,
    iso,
    moment,
    operator,
    uuid,
)
from provisioning.errors import WrongConfirmation
from provisioning.models import Provider, Token
from provisioning.operations import tokens


class Command(OperatorCommand):
    """Manage SCIM tokens; each change writes the same audit event as in the portal."""

    help = "Manage SCIM tokens. A secret is printed once, alone on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="ACTION", prog=f"{PROGRAM} scim_token"
        )
        generate = actions.add_parser("generate", help="make an active token; print its secret")
        generate.add_argument("--provider", required=True, metavar="KEY", help="such as entra-id")
        generate.add_argument("--name", default="", help="the IdP's name, numbered, when left out")
        generate.add_argument(
            "--days",
            type=_days,
            default=tokens.DEFAULT_LIFETIME_DAYS,
            help="lifetime in days, or none (365)",
        )
        listing = actions.add_parser("list", help="show the tokens")
        listing.add_argument("--json", action="store_true", help="as a JSON list")
        _with_id(actions.add_parser("activate", help="let a token in again"))
        _with_id(actions.add_parser("deactivate", help="refuse a token from the next request on"))
        renew = _with_id(actions.add_parser("renew", help="print a new secret for a token"))
        renew.add_argument(
            "--overlap",
            type=int,
            choices=tokens.OVERLAPS_H,
            default=0,
            help="hours for which the old secret still works (0)",
        )
        remove = _with_id(actions.add_parser("remove", help="remove a token for good"))
        sure = remove.add_mutually_exclusive_group()
        sure.add_argument("--yes", action="store_true", help="even when it is in use")
        sure.add_argument("--confirm", metavar="NAME", help="its name, when it is in use")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Call the operation of the same name."""
        getattr(self, action)(**options)

    def generate(self, provider: str, name: str, days: int | None, **options: Any) -> None:
        """Print the secret of a new token."""
        try:
            owner = Provider.objects.get(key=provider)
        except Provider.DoesNotExist:
            known = ", ".join(Provider.objects.values_list("key", flat=True))
            raise WrongCall(f"There is no IdP {provider!r}; there are: {known}.") from None
        issued = tokens.generate(owner, actor=operator(), name=name, lifetime_days=days)
        self.stdout.write(issued.secret)
        self.stderr.write(f"Token {issued.token.pk} «{issued.token.name}» for {owner.label}.")

    def list(self, **options: Any) -> None:
        """Print the live tokens."""
        found = Token.objects.live().select_related("provider")
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(token) for token in found], indent=2))
            return
        self.table(
            ("ID", "IDP", "NAME", "STATE", "TOKEN", "CREATED", "LAST USED", "EXPIRES"),
            (
                (
                    str(token.pk),
                    token.provider.label,
                    token.name,
                    _state(token),
                    token.masked,
                    moment(token.created_at),
                    moment(token.last_used_at),
                    moment(token.expires_at),
                )
                for token in found
            ),
        )

    def activate(self, **options: Any) -> None:
        """Set a token active."""
        self._tell(tokens.activate(options["id"], actor=operator()), "is active")

    def deactivate(self, **options: Any) -> None:
        """Set a token inactive."""
        self._tell(tokens.deactivate(options["id"], actor=operator()), "is inactive")

    def renew(self, overlap: int, **options: Any) -> None:
        """Print a token's new secret."""
        issued = tokens.renew(options["id"], actor=operator(), overlap_h=overlap)
        self.stdout.write(issued.secret)
        self._tell(issued.token, "is renewed")

    def remove(self, yes: bool, confirm: str | None, **options: Any) -> None:
        """Remove a token; one in use needs --yes or its name."""
        if yes:
            confirm = (
                Token.objects.live().filter(pk=options["id"]).values_list("name", flat=True).first()
            )
        try:
            removed = tokens.remove(options["id"], actor=operator(), confirmation=confirm)
        except WrongConfirmation:
            raise WrongConfirmation(
                "It is the only usable token of its IdP and was used in the last 24 hours: remove "
                "it with --yes, or with --confirm and its name."
            ) from None
        self._tell(removed, "is removed")

    def _tell(self, token: Token, what: str) -> None:
        self.stderr.write(f"Token {token.pk} «{token.name}» {what}.")


def _with_id(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("id", type=uuid, metavar="ID")
    return parser


def _days(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isdecimal() or not 1 <= int(text) <= tokens.LONGEST_LIFETIME_DAYS:
        raise ArgumentTypeError(f"not 1 to {tokens.LONGEST_LIFETIME_DAYS} days, or none: {text!r}")
    return int(text)


def _state(token: Token) -> str:
    return "expired" if token.is_expired else "active" if token.is_active else "inactive"


def _as_json(token: Token) -> dict[str, str | None]:
    return {
        "id": str(token.pk),
        "provider": token.provider.key,
        "name": token.name,
        "state": _state(token),
        "hint": token.hint,
        "created_at": iso(token.created_at),
        "created_by": token.created_by,
        "last_used_at": iso(token.last_used_at),
        "expires_at": iso(token.expires_at),
    }
