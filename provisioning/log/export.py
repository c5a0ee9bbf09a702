"""The log as a file: CSV for spreadsheets, JSON Lines for programs, a row in memory at a time."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from audit.exports.cells import BOM, safe
from provisioning.models import LoggedRequest

MOST = 100_000  # rows of one export
COLUMNS = (
    "time", "identityProvider", "token", "method", "path", "resourceType", "resourceId", "name",
    "status", "scimType", "detail", "durationMs", "requestId", "address", "userAgent", "ignored",
    "remarks", "results", "partOf", "sampled", "id",
)  # fmt: skip


def as_dict(request: LoggedRequest) -> dict[str, Any]:
    """Return what an export tells of a request, by the names of its columns."""
    return {
        "time": request.at.isoformat(timespec="milliseconds"),
        "identityProvider": request.provider_label,
        "token": request.token_tail,
        "method": request.method,
        "path": request.path,
        "resourceType": request.resource_type,
        "resourceId": str(request.resource_id or ""),
        "name": request.name,
        "status": request.status,
        "scimType": request.scim_type,
        "detail": request.detail,
        "durationMs": request.duration_ms,
        "requestId": request.request_id,
        "address": request.ip_address or "",
        "userAgent": request.user_agent,
        "ignored": request.ignored,
        "remarks": request.remarks,
        "results": request.results,
        "partOf": str(request.part_of or ""),
        "sampled": request.is_sample,
        "id": str(request.pk),
    }


def as_csv(requests: Iterable[LoggedRequest]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180), in which no cell is a formula."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield BOM + writer.writerow(COLUMNS)
    for request in requests:
        told = as_dict(request)
        yield writer.writerow([_cell(told[name]) for name in COLUMNS])


def as_json_lines(requests: Iterable[LoggedRequest]) -> Iterator[bytes]:
    """Yield one JSON object a line, with the bodies that were kept."""
    for request in requests:
        told = as_dict(request)
        told["request"], told["reply"] = _body(request.request_body), _body(request.reply_body)
        yield orjson.dumps(told) + b"\n"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _cell(value: Any) -> str:
    match value:
        case None:
            text = ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list():
            text = "; ".join(v if isinstance(v, str) else json.dumps(v) for v in value)
        case _:
            text = str(value)
    return safe(text)


def _body(text: str) -> Any:
    return json.loads(text) if text else None
