"""SCIM tokens as text: made, recognised without a query, and digested.

`alta_scim_` + 43 base62 characters (256 random bits) + 6 base62 characters of CRC32 over all
before: secret scanners can match `alta_scim_[0-9A-Za-z]{49}` and check the sum.
"""

import hashlib
import hmac
import secrets
import zlib

from django.conf import settings

PREFIX = "alta_scim_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH = 43
CHECK_LENGTH = 6
LENGTH = len(PREFIX) + RANDOM_LENGTH + CHECK_LENGTH
_ALPHABET_SET = frozenset(ALPHABET)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def new_secret() -> str:
    """Make a token that nobody can guess."""
    body = PREFIX + _base62(secrets.randbits(256), RANDOM_LENGTH)
    return body + _base62(zlib.crc32(body.encode()), CHECK_LENGTH)


def is_well_formed(text: str) -> bool:
    """Return whether a text can be a token at all: length, prefix, alphabet and sum."""
    if len(text) != LENGTH or not text.startswith(PREFIX):
        return False
    if not _ALPHABET_SET.issuperset(text[len(PREFIX) :]):
        return False
    body, check = text[:-CHECK_LENGTH], text[-CHECK_LENGTH:]
    return _base62(zlib.crc32(body.encode()), CHECK_LENGTH) == check


def current_key_id() -> str:
    """Return the name of the key that makes new digests."""
    return next(iter(settings.TOKEN_PEPPERS))


def digest(secret: str, key_id: str) -> str:
    """Return the HMAC-SHA-256 of a token under a named key, in hexadecimal."""
    key: bytes = settings.TOKEN_PEPPERS[key_id]
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def digests(secret: str) -> dict[str, str]:
    """Return {digest: key id} under every key in use, the current one first."""
    return {digest(secret, key_id): key_id for key_id in settings.TOKEN_PEPPERS}
