"""Portal accounts: create one, set its password."""

import secrets

from axes.utils import reset as unlock
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import journal
from audit.actors import Actor
from audit.types import EventType
from portal import roles
from portal.models import Account

# No characters that look alike, in groups: it is typed once from a terminal.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 5


class AccountError(Exception):
    """A rule about accounts was broken; nothing was changed."""

    message: str | Promise = _("The account cannot be changed like that.")

    def __init__(self, message: str | Promise | None = None) -> None:
        super().__init__(str(message or self.message))


class NameTaken(AccountError):
    message = _("Another portal account already has this name.")


class InvalidAccount(AccountError):
    """The name, the role or the e-mail address cannot be used; the text says why."""


class WeakPassword(AccountError):
    """The password is too easy to guess; the text says why."""


class UnknownAccount(AccountError):
    message = _("There is no portal account of this name.")


@transaction.atomic
def create(
    name: str,
    *,
    role: str,
    password: str,
    actor: Actor,
    email: str = "",
    must_change_password: bool = False,
) -> Account:
    """Create a portal account. Raises NameTaken, InvalidAccount, WeakPassword."""
    if role not in roles.ROLES:
        raise InvalidAccount(_("The role is administrator or auditor."))
    account = Account(username=Account.normalize_username(name.strip()), email=email.strip())
    account.must_change_password = must_change_password
    check_password(password, account)
    account.password = make_password(password)
    try:
        account.clean_fields()
    except ValidationError as error:
        raise InvalidAccount(" ".join(error.messages)) from None
    if Account.objects.filter(username__iexact=account.username).exists():
        raise NameTaken
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise NameTaken from None
    account.groups.add(Group.objects.get(name=role))
    journal.record(EventType.ACCOUNT_CREATED, actor=actor, target=account, role=role)
    return account


@transaction.atomic
def set_password(
    account_id: int, password: str, *, actor: Actor, must_change_password: bool = False
) -> Account:
    """Give an account a new password, which ends its sessions and a lock for failed sign-ins.

    Raises UnknownAccount, WeakPassword.
    """
    try:
        account = Account.objects.select_for_update().get(pk=account_id)
    except Account.DoesNotExist:
        raise UnknownAccount from None
    check_password(password, account)
    account.password = make_password(password)
    account.must_change_password = must_change_password
    account.save(update_fields=["password", "must_change_password"])
    unlock(username=account.get_username())
    journal.record(EventType.PASSWORD_CHANGED, actor=actor, target=account)
    return account


def new_password() -> str:
    """Make a password of 99 random bits."""
    letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP_LENGTH)]
    groups = (letters[i : i + GROUP_LENGTH] for i in range(0, len(letters), GROUP_LENGTH))
    return "-".join("".join(group) for group in groups)


def has_administrator() -> bool:
    """Return whether somebody can sign in and manage."""
    return Account.objects.filter(is_active=True, groups__name=roles.ADMINISTRATOR).exists()


def check_password(password: str, account: Account) -> None:
    """Raise WeakPassword, which says why, for one that an account may not have."""
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from None
