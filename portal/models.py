"""Portal accounts: who signs in. Provisioned users are something else entirely."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal import roles


class Account(AbstractUser):
    """Somebody who signs in to the portal. No SCIM request can create, link or alter one."""

    must_change_password = models.BooleanField(_("must change password"), default=False)

    class Meta:
        verbose_name = _("portal account")
        verbose_name_plural = _("portal accounts")

    @property
    def role(self) -> str:
        """The account's role: the more powerful one when it has both."""
        names = {group.name for group in self.groups.all()}
        return next((role for role in roles.ROLES if role in names), "")

    @property
    def audit_kind(self) -> str:
        return "account"

    @property
    def audit_id(self) -> str:
        return str(self.pk)

    @property
    def audit_label(self) -> str:
        return self.get_username()
