"""The Ed25519 keys of the seals: which one signs, and which ones are trusted."""

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from django.conf import settings

END = "-----END PUBLIC KEY-----"


class NotAKey(ValueError):
    """A file does not hold an Ed25519 public key in PEM."""


def signing_key() -> Ed25519PrivateKey:
    """Return the key that signs: the first one of AUDIT_SIGNING_KEY."""
    return Ed25519PrivateKey.from_private_bytes(settings.AUDIT_SIGNING_KEY[0])


def configured() -> tuple[bytes, ...]:
    """Return the public keys of AUDIT_SIGNING_KEY, the signing one first."""
    return tuple(
        public_bytes(Ed25519PrivateKey.from_private_bytes(key).public_key())
        for key in settings.AUDIT_SIGNING_KEY
    )


def public_bytes(key: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(public: bytes) -> str:
    """Return the short name of a public key: 16 hexadecimal digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def has_signed(public: bytes, signature: bytes, payload: bytes) -> bool:
    """Return whether a signature is this key's, over this payload."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def to_pem(public: bytes) -> str:
    """Return a public key as other tools read it."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def from_pem(text: str) -> tuple[bytes, ...]:
    """Return the public keys of a text in PEM, one or several. Raises NotAKey."""
    found = []
    for part in text.split(END)[:-1]:
        try:
            key = load_pem_public_key(f"{part.strip()}\n{END}\n".encode())
        except ValueError:
            raise NotAKey from None
        if not isinstance(key, Ed25519PublicKey):
            raise NotAKey
        found.append(public_bytes(key))
    if not found:
        raise NotAKey
    return tuple(found)
