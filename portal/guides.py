"""Where each IdP wants the URL and the token: the names that its own console shows."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from provisioning.models import Provider

Kind = Provider.Kind
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Guide:
    """The way in the IdP's console, and its names of the two fields."""

    path: Text
    url_field: Text
    token_field: Text


GUIDES = {
    Kind.ENTRA_ID: Guide(
        _("Enterprise applications › your application › Provisioning › Admin credentials"),
        _("Tenant URL"),
        _("Secret token"),
    ),
    Kind.OKTA: Guide(
        _("Applications › your application › Provisioning › Integration"),
        "SCIM connector base URL",
        "HTTP Header › Authorization",
    ),
    Kind.ONELOGIN: Guide(
        _("Applications › your application › Configuration › API Connection"),
        "SCIM Base URL",
        "SCIM Bearer Token",
    ),
    Kind.PINGONE: Guide(
        _("Integrations › Provisioning › your connection › Configuration"),
        "SCIM Base URL",
        "OAuth Access Token",
    ),
    Kind.PINGFEDERATE: Guide(
        _("Applications › SP Connections › your connection › Outbound Provisioning › Target"),
        "SCIM URL",
        "Access Token",
    ),
    Kind.JUMPCLOUD: Guide(
        _("SSO Applications › your application › Identity Management"),
        "Base URL",
        "Token Key",
    ),
    Kind.GOOGLE_WORKSPACE: Guide(
        _("Apps › Web and mobile apps › your application › Autoprovisioning"),
        "Endpoint URL",
        "Access token",
    ),
    Kind.OTHER: Guide(
        _("The SCIM 2.0 settings of your identity provider"),
        _("SCIM base URL"),
        _("Bearer token"),
    ),
}


def guide_for(provider: Provider) -> Guide:
    """Return the guide of a provider's kind."""
    return GUIDES[Kind(provider.kind)]
