"""What a seal says, as bytes to be signed, and as its head: what leaves the database."""

from datetime import UTC
from hashlib import sha256
from struct import Struct
from typing import Any

from audit.evidence import keys, serial
from audit.models import Seal

VERSION = "alta.seal.1"
NOTHING_BEFORE = bytes(32)
LISTED = Struct(">q8s")  # an event's id and the first bytes of its leaf


def payload(seal: Seal) -> bytes:
    """Return what a seal's signature covers: every column but the signature itself."""
    return serial.encode(
        [
            VERSION,
            seal.number,
            seal.epoch,
            seal.source,
            seal.after_id,
            seal.upto_id,
            seal.lo,
            seal.hi,
            seal.count,
            seal.total,
            seal.last_id,
            bytes(seal.root).hex(),
            sha256(seal.leaves).hexdigest(),
            bytes(seal.previous).hex(),
            bytes(seal.public_key).hex(),
            made_at(seal),
        ]
    ).encode("ascii")


def digest(seal: Seal) -> bytes:
    """Return what the next seal names as the one before it: payload and signature, hashed."""
    return sha256(payload(seal) + bytes(seal.signature)).digest()


def made_at(seal: Seal) -> str:
    """Return the moment of a seal as it was signed, in UTC."""
    return seal.made_at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def sign(seal: Seal) -> None:
    """Sign with the present key."""
    key = keys.signing_key()
    seal.public_key = keys.public_bytes(key.public_key())
    seal.signature = key.sign(payload(seal))


def is_signed(seal: Seal) -> bool:
    """Return whether the signature is that of the key which the seal names."""
    return keys.has_signed(bytes(seal.public_key), bytes(seal.signature), payload(seal))


def newest() -> Seal | None:
    """Return the newest seal, without its list of events."""
    return Seal.objects.defer("leaves").order_by("-number").first()


def head(seal: Seal) -> dict[str, Any]:
    """Return what proves later that the chain reached this seal; `payload` is what was signed."""
    return {
        "seal": seal.number,
        "events": seal.total,
        "madeAt": seal.made_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "root": bytes(seal.root).hex(),
        "key": keys.key_id(bytes(seal.public_key)),
        "signature": bytes(seal.signature).hex(),
        "payload": payload(seal).decode("ascii"),
    }
