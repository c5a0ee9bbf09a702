"""`custom_attribute add|list|remove`: the custom attributes, from the command line."""

import json
from typing import Any

from django.core.management.base import CommandParser

from portal.management.commandline import (
    PROGRAM,
    OperatorCommand,
    Refused,
    iso,
    moment,
    operator,
)
from provisioning.errors import WrongConfirmation
from provisioning.models import CustomAttribute
from provisioning.operations import attributes


class Command(OperatorCommand):
    """Manage the custom attributes that every IdP may send."""

    help = "Manage custom attributes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="ACTION", prog=f"{PROGRAM} custom_attribute"
        )
        add = actions.add_parser("add", help="define an attribute; print its URN")
        add.add_argument("name", metavar="NAME")
        add.add_argument(
            "--type",
            choices=CustomAttribute.Type.values,
            default=CustomAttribute.Type.STRING.value,
            help="what its values are (string)",
        )
        listing = actions.add_parser("list", help="show the attributes")
        listing.add_argument("--json", action="store_true", help="as a JSON list")
        remove = actions.add_parser("remove", help="remove an attribute for good")
        remove.add_argument("name", metavar="NAME")
        remove.add_argument("--yes", action="store_true", help="with the values that users have")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        """Call the operation of the same name."""
        getattr(self, action)(**options)

    def add(self, name: str, **options: Any) -> None:
        """Define an attribute."""
        attribute = attributes.add(name, type=options["type"], actor=operator())
        self.stdout.write(attribute.urn)

    def list(self, **options: Any) -> None:
        """Print the attributes."""
        found = CustomAttribute.objects.all()
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(attribute) for attribute in found], indent=2))
            return
        self.table(
            ("NAME", "TYPE", "URN", "CREATED"),
            ((a.name, a.type, a.urn, moment(a.created_at)) for a in found),
        )

    def remove(self, name: str, yes: bool, **options: Any) -> None:
        """Remove an attribute; one that users have a value of needs --yes."""
        try:
            attribute = CustomAttribute.objects.get(name_key=name.lower())
        except CustomAttribute.DoesNotExist:
            raise Refused(f"There is no custom attribute {name!r}.") from None
        try:
            count = attributes.remove(
                attribute.pk, actor=operator(), confirmation=attribute.name if yes else None
            )
        except WrongConfirmation:
            raise WrongConfirmation(
                f"{attributes.carriers(attribute)} users have a value of it: remove it with --yes."
            ) from None
        self.stderr.write(f"«{attribute.name}» is removed, and the values of {count} users.")


def _as_json(attribute: CustomAttribute) -> dict[str, str | None]:
    return {
        "id": str(attribute.pk),
        "name": attribute.name,
        "type": attribute.type,
        "urn": attribute.urn,
        "created_at": iso(attribute.created_at),
        "created_by": attribute.created_by,
    }
