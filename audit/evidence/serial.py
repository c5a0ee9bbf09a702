"""An event as bytes, the same on both databases: what a seal covers (docs/audit.md has the format).

Every column except `search`, which is made from the others to find an event and proves nothing.
"""

import json
from hashlib import sha256
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = "alta.event.1"
# In this order. `changes` and `details` come last: they are JSON and are written anew.
COLUMNS = (
    "transaction_id", "id", "performed_at", "type", "category", "outcome", "actor_kind",
    "actor_id", "actor_label", "target_kind", "target_id", "target_label", "provider_id",
    "provider_kind", "provider_label", "request_id", "ip_address", "user_agent", "changes",
    "details",
)  # fmt: skip
TRANSACTION, ID, MOMENT = 0, 1, 2  # places in a row
POSTGRESQL = {
    "performed_at": "to_char(performed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    "provider_id": "replace(provider_id::text, '-', '')",
    "ip_address": "host(ip_address)",
    "changes": "changes::text",
    "details": "details::text",
}
SQLITE = {"performed_at": "CAST(performed_at AS TEXT)"}
ZEROS = {19: ".000000", 23: "000"}  # by the length of a time that SQLite keeps shorter

Row = tuple[Any, ...]

encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode
_decode = json.JSONDecoder().decode


def columns(connection: BaseDatabaseWrapper) -> str:
    """Return what to select, so that both databases give equal rows."""
    told = POSTGRESQL if connection.vendor == "postgresql" else SQLITE
    return ", ".join(told.get(column, column) for column in COLUMNS)


def canonical(row: Row) -> bytes:
    """Return the bytes of a row: a JSON array, ASCII, without spaces, object keys in order.

    A row that no operation wrote (not JSON, no time) still has bytes of its own.
    """
    try:
        moment = row[MOMENT]
        if len(moment) != 26:
            moment += ZEROS.get(len(moment), "")
        changes, details = row[-2:]
        return encode(
            [
                VERSION,
                *row[:MOMENT],
                moment,
                *row[MOMENT + 1 : -2],
                {} if changes == "{}" else _decode(changes),
                {} if details == "{}" else _decode(details),
            ]
        ).encode("ascii")
    except (TypeError, ValueError, RecursionError):
        return repr(row).encode("utf-8", "backslashreplace")


def leaf(row: Row) -> bytes:
    """Return the leaf of a row in the tree of its seal (RFC 6962 §2.1)."""
    return sha256(b"\x00" + canonical(row)).digest()
