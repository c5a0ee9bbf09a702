"""Reads the settings from the environment: typed, with one clear sentence when a value is wrong.

Any variable `NAME` may be given as `NAME_FILE`, the path of a file that holds the value.
"""

import base64
import binascii
import ipaddress
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url

Value = TypeVar("Value")

DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
BROKER_SCHEMES = ("filesystem", "redis", "rediss", "unix", "redis+socket", "amqp", "amqps")
EMAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl", "submission", "file", "console", "dummy")
MAIL_PATIENCE_S = 10  # a third of the time after which another worker takes the mail
HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
PEPPER = re.compile(r"([A-Za-z0-9_-]{1,16}):([\x21-\x2b\x2d-\x7e]{32,})")

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class WrongSetting(Exception):
    """A variable of the environment holds a value that cannot be used; the text names it."""


def read(name: str, default: str, convert: Callable[[str], Value]) -> Value:
    """Return the converted value of a variable, of its `_FILE`, or of the default.

    Raises WrongSetting with one sentence that names the variable.
    """
    text = os.environ.get(name)
    if path := os.environ.get(f"{name}_FILE"):
        if text is not None:
            raise WrongSetting(f"{name} and {name}_FILE are both set; keep one of them.")
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongSetting(f"{name}_FILE names a file that cannot be read: {error}.") from None
    try:
        return convert(default if text is None or text == "" else text)
    except ValueError as error:
        raise WrongSetting(f"{name} {error}.") from None


def kept_secret(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return a secret kept in the data folder, made on the first start (file mode 0600)."""
    path = folder / name.lower()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    # Another process of the same first start may read while we write: one write of a short text.
    secret = make()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secret)
    return secret


def data_dir(text: str) -> Path:
    """Make the folder that holds everything the product writes, closed to others."""
    path = Path(text).expanduser().resolve()
    try:
        (path / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise ValueError(f"names a folder that cannot be written: {error}") from None
    return path


def database(text: str) -> dict[str, Any]:
    """Return Django's database settings for a URL."""
    scheme = urlsplit(text).scheme
    if scheme not in DATABASE_SCHEMES:
        found_scheme = f", not {scheme}:" if scheme else ""
        raise ValueError(f"must begin with sqlite:// or postgresql://{found_scheme}")
    try:
        found = dict(dj_database_url.parse(text))
    except (dj_database_url.ParseError, ValueError):
        raise ValueError("is not a database URL such as postgresql://name:pass@host/db") from None
    if scheme == "sqlite" and not Path(str(found["NAME"])).is_absolute():
        # Each command would otherwise make its own file in the folder that it is called from.
        raise ValueError("must name a file by its whole path, such as sqlite:////srv/alta.sqlite3")
    return found


def broker(text: str) -> str:
    """Return the Celery broker's URL."""
    scheme = urlsplit(text).scheme
    if scheme not in BROKER_SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(BROKER_SCHEMES)}://")
    return text


def email(text: str) -> dict[str, object]:
    """Return Django's e-mail settings for a URL."""
    if urlsplit(text).scheme not in EMAIL_SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(EMAIL_SCHEMES)}:")
    found: dict[str, object] = dict(dj_email_url.parse(text))
    if found.get("EMAIL_FILE_PATH"):
        found["EMAIL_FILE_PATH"] = f"/{str(found['EMAIL_FILE_PATH']).lstrip('/')}"
    found["EMAIL_TIMEOUT"] = found.get("EMAIL_TIMEOUT") or MAIL_PATIENCE_S
    return found


def public_url(text: str) -> str:
    """Return the address under which the outside reaches Alta, without a trailing slash."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://alta.example.com")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must name a host only, without path, query or user name")
    try:
        parts.port  # noqa: B018 — reading it checks it
    except ValueError:
        raise ValueError("has a port that is not a number from 0 to 65535") from None
    return text.rstrip("/")


def secret_key(text: str) -> str:
    """Return the key that signs sessions and forms."""
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def peppers(text: str) -> dict[str, bytes]:
    """Return the keys of token digests by their id; the first one makes new digests."""
    found: dict[str, bytes] = {}
    for part in text.split(","):
        match = PEPPER.fullmatch(part.strip())
        if match is None:
            raise ValueError("must be a list such as k2:key,k1:key, each of 32 characters or more")
        if match[1] in found:
            raise ValueError(f"names the key {match[1]} twice")
        found[match[1]] = match[2].encode()
    return found


def signing_keys(text: str) -> tuple[bytes, ...]:
    """Return the Ed25519 keys of the audit trail, 32 bytes each; the first one signs."""
    found: list[bytes] = []
    for part in text.split(","):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ValueError("must be 32 bytes in base64, or a list of such keys")
        if key in found:
            raise ValueError("names a key twice")
        found.append(key)
    return tuple(found)


def networks(text: str) -> tuple[IPNetwork, ...]:
    """Return the addresses and networks of a list separated by commas."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"must be a list of addresses or networks: {error}") from None


def words(text: str) -> list[str]:
    """Return the words of a list separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def hosts(text: str) -> list[str]:
    """Return the host names of a list separated by commas."""
    found = words(text)
    if wrong := next((name for name in found if not HOST.fullmatch(name)), None):
        raise ValueError(f"must be a list of host names separated by commas, not {wrong!r}")
    return found


def months_kept(text: str) -> int:
    """Read how many months of the audit trail are kept; 0 is all of them."""
    months = whole_number(0, 1_200)(text)
    if 0 < months < 3:
        raise ValueError("must be 0, for ever, or at least 3 months")
    return months


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a converter that accepts whole numbers from `least` to `most`."""

    def convert(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return convert


def share(text: str) -> float:
    """Return a share of a whole, from 0 to 1."""
    if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,6}", text) or not 0 <= float(text) <= 1:
        raise ValueError(f"must be a number from 0 to 1, such as 0.25, not {text!r}")
    return float(text)


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return a converter that accepts only the words named."""

    def convert(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}, not {text!r}")
        return text

    return convert


def new_secret() -> str:
    """Make 384 random bits as text."""
    return secrets.token_urlsafe(48)


def new_peppers() -> str:
    """Make the first list of token keys: one key, k1."""
    return f"k1:{new_secret()}"


def new_signing_key() -> str:
    """Make 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
