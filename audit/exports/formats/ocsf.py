"""OCSF 1.1 (Open Cybersecurity Schema Framework), a JSON object a line: category 3, IAM."""

import json
from typing import Any

import orjson

from audit.exports.formats.base import PRODUCT, Format, Trailer, activities
from audit.exports.formats.jsonl import as_dict
from audit.exports.rows import Row

VERSION = "1.1.0"
ACCOUNT, AUTHENTICATION, ENTITY, GROUP = 3001, 3002, 3004, 3006
CLASSES = {
    ACCOUNT: "Account Change",
    AUTHENTICATION: "Authentication",
    ENTITY: "Entity Management",
    GROUP: "Group Management",
}
OTHER = 99
# Of each type its class and activity. A type that is missing here is an Entity Management event,
# with the activity that its last word names.
ACTIVITIES = {
    "user.created": (ACCOUNT, 1),
    "user.activated": (ACCOUNT, 2),
    "user.restored": (ACCOUNT, 2),
    "user.deactivated": (ACCOUNT, 5),
    "user.deleted": (ACCOUNT, 6),
    "user.erased": (ACCOUNT, 6),
    "user.updated": (ACCOUNT, OTHER),
    "user.transferred": (ACCOUNT, OTHER),
    "account.created": (ACCOUNT, 1),
    "password.changed": (ACCOUNT, 3),
    "session.started": (AUTHENTICATION, 1),
    "session.refused": (AUTHENTICATION, 1),
    "authentication.failed": (AUTHENTICATION, 1),
    "session.ended": (AUTHENTICATION, 2),
    "group.created": (GROUP, 6),
    "group.deleted": (GROUP, 5),
    "group.updated": (GROUP, OTHER),
    "group.members_changed": (GROUP, OTHER),
}
BY_ENDING = {"created": 1, "exported": 2, "downloaded": 2, "updated": 3, "removed": 4}
SEVERITIES = {"trail.broken": 5}  # critical
PRODUCT_TOLD = {"name": PRODUCT, "vendor_name": PRODUCT}


class Ocsf(Format):
    """The classes and their required attributes; the event itself is in `unmapped`."""

    key = "ocsf"
    label = "OCSF"
    extension = "ocsf.jsonl"
    content_type = "application/jsonl"

    def __init__(self, language: str = "en") -> None:
        super().__init__("en")
        self._activities = activities("en")

    def line(self, row: Row) -> bytes:
        return orjson.dumps(self._told(row), option=orjson.OPT_APPEND_NEWLINE)

    def trailer(self, trailer: Trailer) -> bytes:
        return orjson.dumps({"trailer": trailer}) + b"\n"

    @classmethod
    def trailer_in(cls, line: str) -> Trailer | None:
        if not line.startswith('{"trailer":'):
            return None
        found: Trailer = json.loads(line)["trailer"]
        return found

    def _told(self, row: Row) -> dict[str, Any]:
        of, activity = class_of(row.type)
        succeeded = row.outcome == "success"
        target = {"name": row.target_label, "uid": row.target_id}
        told: dict[str, Any] = {
            "category_uid": 3,
            "category_name": "Identity & Access Management",
            "class_uid": of,
            "class_name": CLASSES[of],
            "activity_id": activity,
            "activity_name": row.type,
            "type_uid": of * 100 + activity,
            "time": int(row.at.timestamp() * 1000),
            "severity_id": SEVERITIES.get(row.type, 1 if succeeded else 3),
            "status_id": 1 if succeeded else 2,
            "message": self._activities.get(row.type, row.type),
            "metadata": {"version": VERSION, "product": PRODUCT_TOLD, "uid": str(row.id)},
            "actor": {"user": {"name": row.actor_label, "uid": row.actor_id}},
        }
        if of == GROUP:
            told["group"] = target
        elif of == ENTITY:
            told["entity"] = target | {"type": row.target_kind}
        else:
            told["user"] = target
        if row.ip_address:
            told["src_endpoint"] = {"ip": row.ip_address}
        if row.user_agent:
            told["http_request"] = {"user_agent": row.user_agent, "uid": row.request_id}
        told["unmapped"] = as_dict(row)
        return told


def class_of(type: str) -> tuple[int, int]:
    """Return the class and the activity of a type of event."""
    ending = type.rpartition(".")[2]
    return ACTIVITIES.get(type) or (ENTITY, BY_ENDING.get(ending, OTHER))
