"""What identity providers send beside the standard: one small function per habit, with evidence.

What fills a silence of the RFC is understood from everybody, and so are booleans as words. What
contradicts the RFC is a field of `Habits` and is understood only from the kinds of provider that
need it; from all others it is the error that the RFC wants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_scim.constants import SchemaURI  # type: ignore[import-untyped, unused-ignore]

_ENTERPRISE: str = SchemaURI.ENTERPRISE_USER.lower()
_URN_ALIASES = (
    "urn:scim:schemas:extension:enterprise:1.0",
    "urn:scim:schemas:extension:enterprise:2.0",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0user",
)
_TOMBSTONE = re.compile(r"[0-9a-f]{32}.", re.IGNORECASE | re.DOTALL)
_MANAGER = frozenset(
    f"{prefix}manager{sub}" for prefix in ("", f"{_ENTERPRISE}:") for sub in ("", ".value")
)


@dataclass(frozen=True, slots=True)
class Habits:
    """What one kind of provider sends against the RFC. Each field is one habit.

    `replaces_what_is_missing`: Entra ID replaces emails[type eq "work"].value of users without an
    e-mail and expects the element to be made (github.com/Metatavu/keycloak-scim-server issue 35,
    wireapp/wire-server issue 5419); RFC 7644 §3.5.2.3 wants noTarget.

    `names_members_by_text`: Microsoft's Postman collections add members as bare strings
    (github.com/AzureAD/SCIMReferenceCode, PostmanCollection.json); RFC 7643 §4.2 wants objects.

    `sends_one_for_many`: an old OneLogin client sent `emails` as an object (noted in the demo
    adapter of github.com/15five/django-scim2); RFC 7643 §2.4 wants a list.
    """

    replaces_what_is_missing: bool = False
    names_members_by_text: bool = False
    sends_one_for_many: bool = False


STRICT = Habits()
HABITS = {
    "entra-id": Habits(replaces_what_is_missing=True, names_members_by_text=True),
    "onelogin": Habits(sends_one_for_many=True),
}


def boolean_word(value: str) -> bool | None:
    """Read "True" and "False" in any case; None for any other text.

    Entra ID sends `"value": "False"` to disable a user unless the flag aadOptscim062020 is set
    (Microsoft Learn, "Known issues and resolutions with SCIM 2.0 protocol compliance").
    """
    return {"true": True, "false": False}.get(value.lower())


def standard_urn(name: str) -> str:
    """Return a lower-case name with another spelling of the enterprise URN put right.

    OneLogin sends `urn:scim:schemas:extension:enterprise:2.0`, older templates 1.0 (captured in
    github.com/goauthentik/authentik issue 11249); a colon is lost in `…enterprise:2.0User`
    (Microsoft Learn, "Known issues …": the URN of extension attributes).
    """
    for alias in _URN_ALIASES:
        if name.startswith(alias) and name[len(alias) : len(alias) + 1] in ("", ":"):
            return _ENTERPRISE + name[len(alias) :]
    return name


def patch_operations(body: Mapping[str, Any]) -> object:
    """Return the operations of a PATCH body, its key in any case, its `schemas` not looked at.

    RFC 7644 §3.5.2 demands the PatchOp URN, but clients leave it out or send another
    (OneLogin, authentik issue 11249: `urn:scim:schemas:core:2.0`), and nothing else can be meant.
    """
    if "Operations" in body:
        return body["Operations"]
    return next((value for key, value in body.items() if key.lower() == "operations"), None)


def asks_for_manager(name: str, operator: str) -> bool:
    """Tell whether a filter term asks who the manager is.

    Entra ID asks `id eq "…" and manager eq "…"` before it sets a manager, whether or not the
    server keeps one (Microsoft Learn, "Develop and plan provisioning for a SCIM endpoint").
    """
    return operator == "eq" and name.lower() in _MANAGER


def buried_name(key: str) -> str | None:
    """Return the name inside a userName that Entra ID gives to a deleted user; None for others.

    The userPrincipalName of a soft-deleted user is prefixed with its object id without hyphens:
    32 hex digits (Microsoft Learn, "Develop and plan provisioning for a SCIM endpoint").
    """
    return key[32:] if _TOMBSTONE.match(key) else None
