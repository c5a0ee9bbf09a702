"""The views that every installation has, beside those that were saved."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

READY: tuple[tuple[str | Promise, str], ...] = (
    (_("SCIM tokens"), "f=category.is.token"),
    (
        _("Leavers"),
        "f=activity.is.user.deactivated&f=activity.is.user.deleted&f=activity.is.user.erased",
    ),
    (_("Refused access"), "f=category.is.access&f=status.is.failure"),
    (_("Changes of settings"), "f=category.is.setting&f=category.is.attribute"),
    (_("Changes of today"), "period=today"),
)
