"""The words for what the trail keeps as keys and no registry of its own names."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The kinds of IdP: the trail keeps them as words and knows no table of them.
PROVIDERS: tuple[tuple[str, str | Promise], ...] = (
    ("entra-id", "Entra ID"),
    ("okta", "Okta"),
    ("onelogin", "OneLogin"),
    ("pingone", "PingOne"),
    ("pingfederate", "PingFederate"),
    ("jumpcloud", "JumpCloud"),
    ("google-workspace", "Google Workspace"),
    ("other", _("Other (SCIM 2.0)")),
)
