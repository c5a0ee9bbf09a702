"""Who is calling: the bearer token of exactly one Authorization header (RFC 6750 §2.1)."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from audit.actors import Actor
from provisioning import secrets
from provisioning.api import throttling
from provisioning.models import Provider, Token
from provisioning.models.attributes import group_type, user_type
from provisioning.models.tokens import Recognised, recognise
from provisioning.operations import tokens
from provisioning.scim.schemas import ResourceType

LONGEST_HEADER = 128
BEARER = re.compile(r"bearer +(\S+)", re.ASCII | re.IGNORECASE)
REFUSED = "A valid bearer token is required: generate one in the portal and send it unchanged."


@dataclass(frozen=True, slots=True)
class Caller:
    """An IdP that proved itself, with what its request may see."""

    token: Token
    provider: Provider
    actor: Actor
    schema_version: int

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def user_type(self) -> ResourceType:
        """The User resource type in force for this IdP."""
        provider = self.provider
        return user_type(self.schema_version, rename=provider.allow_rename, kind=provider.kind)

    @property
    def group_type(self) -> ResourceType:
        """The Group resource type, likewise."""
        return group_type(self.provider.kind)


class BearerToken(BaseAuthentication):
    """Look the token up first; every refusal is the same 401.

    A valid token is never throttled: its IdP may share an address with an attacker. Failures of
    one address turn 401 into 429.
    """

    def authenticate(self, request: Request) -> tuple[Caller, str]:
        secret = self._secret(request)
        found = _recognise(secret) if secret else None
        if found is None or secret is None:
            throttling.refuse(request._request.origin)  # type: ignore[attr-defined]
            raise AuthenticationFailed(REFUSED)
        token, provider, digest = found.token, found.provider, found.digest
        if found.key_id != secrets.current_key_id():
            digest = tokens.redigest(digest, secret)
        actor = Actor(
            "token",
            str(token.pk),
            f"{provider.label} · {token.masked}",
            provider.for_audit(),
            request._request.origin,  # type: ignore[attr-defined]
        )
        if found.is_use_stale:
            tokens.note_use(token, digest, actor=actor)
        return Caller(token, provider, actor, found.schema_version), secret

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Alta SCIM"'

    def _secret(self, request: Request) -> str | None:
        """Return the token of the header, or None when it cannot be one: no query is made."""
        header: Any = request.META.get("HTTP_AUTHORIZATION", "")
        if len(header) > LONGEST_HEADER or not header.isascii():
            return None
        match = BEARER.fullmatch(header)
        return match[1] if match and secrets.is_well_formed(match[1]) else None


def _recognise(secret: str) -> Recognised | None:
    """Look the token up, once more on a new connection when the kept one was dead.

    The request's first query shows that as well as the `SELECT 1` which Django would send before.
    """
    digests = secrets.digests(secret)
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return recognise(digests)
    except (InterfaceError, OperationalError):
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return recognise(digests)
