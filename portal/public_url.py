"""The address that IdPs are given, and whether they can reach it."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

PRIVATE_ENDINGS = (".local", ".internal", ".lan", ".home.arpa", ".localhost", ".test", ".invalid")


def scim_url() -> str:
    """Return the target SCIM URL, from the configured public one: never from the Host header."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/scim/v2"


def warnings() -> list[str]:
    """Return why an IdP in the cloud may refuse or miss the public URL."""
    url = urlsplit(settings.PUBLIC_URL)
    found = []
    if _is_private(url.hostname or ""):
        found.append(
            _("%(host)s is a private address: an identity provider in the cloud cannot reach it.")
            % {"host": url.hostname}
        )
    if url.scheme != "https":
        found.append(
            _("The URL is plain http: the token travels unencrypted, and most providers refuse it.")
        )
    if found:
        found.append(_("Set PUBLIC_URL to the https address by which the provider reaches Alta."))
    return found


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_ENDINGS)
