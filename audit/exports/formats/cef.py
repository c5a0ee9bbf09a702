"""CEF, the Common Event Format of ArcSight, version 0, which every SIEM reads."""

import json
import re

from audit.exports.formats.base import PRODUCT, Format, Trailer, activities
from audit.exports.rows import Row

VERSION = "1"
MOST = 4_000  # characters of a custom string, by the specification
MOST_NAME = 1_023
_HEADER = str.maketrans({"\\": "\\\\", "|": "\\|", "\n": " ", "\r": " "})
_VALUE = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})
# Characters that end a line for some reader, or end the text for another.
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")
_SPECIAL = re.compile(r"[\\=\n\r\x00-\x1f\x7f\x85\u2028\u2029]").search
SEVERITIES = {"trail.broken": 10, "job.failed": 6}
WORST_REFUSED = 6  # a refused sign-in, role or token
BY_ENDING = {"deleted": 5, "erased": 5, "removed": 5, "deactivated": 4, "expired": 4}
TRAILER = re.compile(r"cs1=(.*) cs1Label=trailer$")


class Cef(Format):
    """An event a line. Other control characters than line ends become U+FFFD."""

    key = "cef"
    label = "CEF"
    extension = "cef"
    content_type = "text/plain; charset=utf-8"

    def __init__(self, language: str = "en") -> None:
        super().__init__("en")  # rules of a SIEM look for words
        self._heads: dict[tuple[str, str], str] = {}
        self._activities = activities("en")

    def line(self, row: Row) -> bytes:
        kind = (row.type, row.outcome)
        head = self._heads.get(kind)
        if head is None:
            name = self._activities.get(row.type, row.type)
            head = self._heads[kind] = header(row.type, name, severity(*kind))
        parts = [
            head,
            f"rt={int(row.at.timestamp() * 1000)} externalId={row.id} cat={value(row.category)}",
            f"outcome={value(row.outcome)}",
            f"suser={value(row.actor_label)} suid={value(row.actor_id)}",
        ]
        if row.target_kind in ("user", "account"):
            parts.append(f"duser={value(row.target_label)} duid={value(row.target_id)}")
        else:
            parts.append(f"fname={value(row.target_label)} fileId={value(row.target_id)}")
        if row.ip_address:
            name = "c6a2Label=Source IPv6 Address c6a2" if ":" in row.ip_address else "src"
            parts.append(f"{name}={row.ip_address}")
        if row.user_agent:
            parts.append(f"requestClientApplication={value(row.user_agent)}")
        parts.append(f"cs1={value(row.provider_label)} cs1Label=identityProvider")
        if row.changes != "{}":
            parts.append(f"cs2={value(row.changes)} cs2Label=changes")
        if row.details != "{}":
            parts.append(f"cs3={value(row.details)} cs3Label=details")
        parts.append(f"cs4={value(row.target_kind)} cs4Label=targetKind")
        if row.request_id:
            parts.append(f"cs5={value(row.request_id)} cs5Label=requestId")
        parts.append(f"cs6={value(row.actor_kind)} cs6Label=actorKind")
        return (" ".join(parts) + "\n").encode("utf-8")

    def trailer(self, trailer: Trailer) -> bytes:
        text = header("trail.export_ended", "End of the export", 0)
        told = json.dumps(trailer).translate(_VALUE)
        return f"{text} cnt={trailer['rows']} cs1={told} cs1Label=trailer\n".encode()

    @classmethod
    def trailer_in(cls, line: str) -> Trailer | None:
        found = TRAILER.search(line.rstrip("\n"))
        if not found or "|trail.export_ended|" not in line:
            return None
        text = re.sub(r"\\([\\=])", r"\1", found[1])
        told: Trailer = json.loads(text)
        return told


def header(type: str, name: str, severity: int) -> str:
    """Return the seven fields before the extension, and the bar that ends them."""
    fields = (PRODUCT, PRODUCT, VERSION, type, name)
    told = "|".join(
        _CONTROL.sub("\ufffd", field[:MOST_NAME]).translate(_HEADER) for field in fields
    )
    return f"CEF:0|{told}|{severity}|"


def value(text: str) -> str:
    """Return a value of the extension, escaped and bounded."""
    if len(text) > MOST:
        text = text[: MOST - 1] + "…"
    if not _SPECIAL(text):
        return text
    return _CONTROL.sub("\ufffd", text).translate(_VALUE)


def severity(type: str, outcome: str) -> int:
    """Return how grave an event is, from 0 to 10."""
    if type in SEVERITIES:
        return SEVERITIES[type]
    if outcome != "success":
        return WORST_REFUSED
    return BY_ENDING.get(type.rpartition(".")[2], 3)
