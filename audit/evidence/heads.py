"""Heads that left the database: how a file of them is read again."""

import json
from pathlib import Path
from typing import Any


class NotAHead(ValueError):
    """A file holds no head of the chain."""


def read(path: Path) -> list[dict[str, Any]]:
    """Return the heads in a file: what audit_head printed, or lines of the log. Raises NotAHead."""
    text = path.read_text(encoding="utf-8")
    try:
        found = [json.loads(text)]
    except ValueError:
        found = _from_lines(text)
    heads = [one.get("head", one) for one in found if isinstance(one, dict)]
    heads = [head for head in heads if is_head(head)]
    if not heads:
        raise NotAHead
    return heads


def _from_lines(text: str) -> list[Any]:
    found = []
    for line in text.splitlines():
        # A log's own prefix may stand before the object.
        try:
            found.append(json.loads(line[line.index("{") :]))
        except ValueError:
            continue
    return found


def is_head(head: Any) -> bool:
    """Return whether a value read from a file is a head."""
    if not isinstance(head, dict):
        return False
    number, signature = head.get("seal"), head.get("signature")
    return isinstance(number, int) and 0 < number < 2**63 and isinstance(signature, str)
