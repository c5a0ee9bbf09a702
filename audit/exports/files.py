"""An export's file outside the database: whether it is whole, and the head that it carries."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit.evidence import heads
from audit.exports.formats import FORMATS

MOST_TRAILER = 65_536  # bytes
AT_ONCE = 1_000_000


class NotAnExport(ValueError):
    """The last line of a file is no trailer of an export."""


def trailer(path: Path) -> tuple[dict[str, Any], int]:
    """Return a file's trailer and how many bytes stand before it. Raises NotAnExport."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - MOST_TRAILER)
        file.seek(start)
        tail = file.read()
    at = tail.rstrip(b"\r\n").rfind(b"\n") + 1
    try:
        line = tail[at:].decode("utf-8-sig").rstrip("\r\n")
        found = [format.trailer_in(line) for format in FORMATS.values()]
    except (ValueError, KeyError, IndexError):
        raise NotAnExport from None
    for one in found:
        if isinstance(one, dict) and isinstance(one.get("sha256"), str):
            return one, start + at
    raise NotAnExport


def is_whole(path: Path) -> tuple[bool, dict[str, Any]]:
    """Return whether the bytes before the trailer are those it tells of, and the trailer."""
    told, left = trailer(path)
    digest = sha256()
    with path.open("rb") as file:
        while left and (data := file.read(min(AT_ONCE, left))):
            digest.update(data)
            left -= len(data)
    return digest.hexdigest() == told["sha256"], told


def heads_in(path: Path) -> list[dict[str, Any]]:
    """Return the heads in an export, its manifest, or any file of heads. Raises NotAHead."""
    try:
        told, _before = trailer(path)
    except NotAnExport:
        return heads.read(path)
    if not heads.is_head(told.get("head")):
        raise heads.NotAHead
    return [told["head"]]
