"""JSON Lines for programs: the whole event, its keys in one order, its moment in UTC."""

import json
from typing import Any

import orjson

from audit.exports.formats.base import Format, Trailer, iso
from audit.exports.rows import Row


class JsonLines(Format):
    """An object a line, as the page of an event lets it be copied."""

    key = "jsonl"
    label = "JSON Lines"
    extension = "jsonl"
    content_type = "application/jsonl"

    def line(self, row: Row) -> bytes:
        return orjson.dumps(as_dict(row), option=orjson.OPT_APPEND_NEWLINE)

    def trailer(self, trailer: Trailer) -> bytes:
        return orjson.dumps({"trailer": trailer}) + b"\n"

    @classmethod
    def trailer_in(cls, line: str) -> Trailer | None:
        if not line.startswith('{"trailer":'):
            return None
        found: Trailer = json.loads(line)["trailer"]
        return found


def as_dict(row: Row) -> dict[str, Any]:
    """Return an event for orjson: what the database holds as JSON goes in as it stands."""
    return {
        "id": row.id,
        "performedAt": iso(row.at),
        "type": row.type,
        "category": row.category,
        "status": row.outcome,
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "label": row.actor_label},
        "target": {"kind": row.target_kind, "id": row.target_id, "label": row.target_label},
        "identityProvider": {
            "id": row.provider_id and str(row.provider_id),
            "kind": row.provider_kind,
            "label": row.provider_label,
        },
        "requestId": row.request_id,
        "ipAddress": row.ip_address,
        "userAgent": row.user_agent,
        "changes": orjson.Fragment(row.changes),
        "details": orjson.Fragment(row.details),
    }
