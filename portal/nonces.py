"""One-time nonces: a form that was sent twice is done once (`operations.tokens.claim`).

Signed and bound to the account and to what the form does, so that only a form that this portal
drew for this person counts.
"""

import secrets

from django.core import signing
from django.http import HttpRequest

FIELD = "form"
MAX_AGE_S = 24 * 3600  # used nonces are kept for longer, so that none comes back to life


class Stale(Exception):
    """The form is too old, or not ours."""


def new(request: HttpRequest, purpose: str) -> str:
    """Return a nonce for a form that this page draws."""
    return _signer(request, purpose).sign(secrets.token_urlsafe(24))


def read(request: HttpRequest, purpose: str) -> str:
    """Return the nonce of the form that was sent. Raises Stale."""
    try:
        return _signer(request, purpose).unsign(request.POST.get(FIELD, ""), max_age=MAX_AGE_S)
    except signing.BadSignature:
        raise Stale from None


def _signer(request: HttpRequest, purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"alta.form.{purpose}.{request.user.pk}")
