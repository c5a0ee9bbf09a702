"""Rules that a caller can break. They know no HTTP: `api.errors` says what each becomes there.

The text is what the portal shows; it is translated where it is made.
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ProvisioningError(Exception):
    """A rule was broken; nothing was changed."""

    message: ClassVar[str | Promise] = _("The request cannot be carried out.")

    def __init__(self, message: str | Promise | None = None) -> None:
        super().__init__(str(message or self.message))


class NotFound(ProvisioningError):
    message = _("It does not exist, or belongs to another identity provider.")


class TokenLimitReached(ProvisioningError):
    message = _("The limit of tokens is reached: remove one before generating another.")


class AlreadySent(ProvisioningError):
    """The form was sent before: what it asked for is already done."""

    message = _("This form was already sent.")


class TokenExpired(ProvisioningError):
    message = _("The token has expired: renew it to use it again.")


class WrongConfirmation(ProvisioningError):
    message = _("The name does not match: nothing was removed.")


class InvalidValue(ProvisioningError):
    message = _("The value is not valid.")


class SameProvider(ProvisioningError):
    message = _("The user already belongs to this identity provider.")


class UserNameTaken(ProvisioningError):
    message = _("Another user already has this user name.")


class UserNameHeldElsewhere(UserNameTaken):
    message = _(
        "Another identity provider's user already has this user name. An administrator "
        "can transfer that user in the portal, under Users."
    )


class GroupNameTaken(ProvisioningError):
    message = _("Another group of this identity provider already has this name.")


class Immutable(ProvisioningError):
    message = _("userName cannot change once the user is provisioned.")


class UnknownMembers(ProvisioningError):
    message = _("Some members are not users of this identity provider.")


class PreconditionFailed(ProvisioningError):
    message = _("The resource has changed since it was read.")


class SchemaChanged(ProvisioningError):
    message = _("The custom attributes changed meanwhile: send the request again.")


class AttributeNameTaken(ProvisioningError):
    message = _("A custom attribute already has this name.")


class TooManyAttributes(ProvisioningError):
    message = _("At most 100 custom attributes can be defined.")
