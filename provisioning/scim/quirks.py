"""What identity providers send beside the standard: one small function per habit, with evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def listed(value: Any) -> Any:
    """Return a single object as a list of one.

    An old OneLogin client sent `emails` as an object (noted in the demo adapter of
    github.com/15five/django-scim2); PATCH values of `members` come alone as well.
    """
    return [value] if isinstance(value, dict) else value


def member_id(member: object) -> object:
    """Return the id of a member given as an object or as a bare string.

    Microsoft's Postman collections add members as bare strings
    (github.com/AzureAD/SCIMReferenceCode, PostmanCollection.json).
    """
    return member.get("value") if isinstance(member, dict) else member


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
