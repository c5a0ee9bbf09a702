"""Messages of RFC 7644 that carry resources: the answer of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_scim.constants import SchemaURI  # type: ignore[import-untyped, unused-ignore]


def list_response(
    resources: Sequence[dict[str, Any]],
    total: int,
    start_index: int | None = 1,
    *,
    next_cursor: str | None = None,
    previous_cursor: str | None = None,
) -> dict[str, Any]:
    """Return a ListResponse (RFC 7644 §3.4.2) of one page; cursors as of RFC 9865 §2.1.

    `start_index` is None on a page reached by cursor.
    """
    message: dict[str, Any] = {
        "schemas": [SchemaURI.LIST_RESPONSE],
        "totalResults": total,
        "itemsPerPage": len(resources),
    }
    if start_index is not None:
        message["startIndex"] = start_index
    if next_cursor is not None:
        message["nextCursor"] = next_cursor
    if previous_cursor is not None:
        message["previousCursor"] = previous_cursor
    return message | {"Resources": list(resources)}
