"""Bulk requests of RFC 7644 §3.7: read, put in an order that serves the references, resolved.

A `bulkId:x` in a body or a path stands for the id that the operation with bulkId x will make.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provisioning.scim import limits
from provisioning.scim.errors import (
    ScimError,
    invalid_syntax,
    invalid_value,
    kind,
    shown,
    too_large,
)

URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST_BULK_ID = 256
_PATH = re.compile(r"/(Users|Groups)(?:/([^/?#\s]+))?/?", re.ASCII)
_REFERENCE = re.compile(r"bulkId:([^\"\]\s]+)")
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation: `error` says why it cannot be carried out, when it cannot.

    `endpoint` is "Users" or "Groups"; `resource_id` is "" for POST, and may be a reference.
    `needs` are the bulkIds that its path and its data name.
    """

    index: int
    method: str
    path: str
    endpoint: str = ""
    resource_id: str = ""
    bulk_id: str = ""
    version: str | None = None
    data: Any = None
    needs: frozenset[str] = frozenset()
    error: ScimError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A request that was read; 0 in `fail_on_errors` means to carry on whatever fails."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int = 0


def parse(body: object) -> BulkRequest:
    """Read a BulkRequest. Raises ScimError; what is wrong with one operation stays with it.

    More than 1,000 operations are 413 (RFC 7644 §3.7.4).
    """
    if not isinstance(body, dict):
        raise invalid_syntax(f"The body must be a JSON object, not {kind(body)}.")
    given = {key.lower(): value for key, value in body.items()}
    operations = given.get("operations")
    if not isinstance(operations, list) or not operations:
        raise invalid_syntax("A bulk request needs Operations, a list that is not empty.")
    if len(operations) > limits.BULK_OPERATIONS:
        raise too_large(f"A bulk request has at most {limits.BULK_OPERATIONS} operations.")
    fail_on_errors = given.get("failonerrors")
    if fail_on_errors is None:
        fail_on_errors = 0
    elif type(fail_on_errors) is not int or fail_on_errors < 1:
        raise invalid_value("failOnErrors must be a whole number of at least 1.")
    found = [_read(index, item) for index, item in enumerate(operations)]
    return BulkRequest(tuple(_with_unique_ids(found)), fail_on_errors)


def _read(index: int, item: object) -> BulkOperation:
    """Read one operation; what is wrong with it becomes its `error`."""
    fields = {k.lower(): v for k, v in item.items()} if isinstance(item, dict) else {}
    method, path, bulk_id = (fields.get(name) for name in ("method", "path", "bulkid"))
    place = _PATH.fullmatch(path) if isinstance(path, str) else None
    operation = BulkOperation(
        index,
        method.upper() if isinstance(method, str) else "",
        path if isinstance(path, str) else "",
        endpoint=place[1] if place else "",
        resource_id=(place[2] or "") if place else "",
        bulk_id=bulk_id if isinstance(bulk_id, str) else "",
    )
    try:
        return _checked(operation, item, fields)
    except ScimError as error:
        return replace(operation, error=error)


def _checked(operation: BulkOperation, item: object, fields: Mapping[str, Any]) -> BulkOperation:
    if not isinstance(item, dict):
        raise invalid_syntax(f"An operation must be an object, not {kind(item)}.")
    if operation.method not in METHODS:
        raise invalid_syntax("The method of an operation is POST, PUT, PATCH or DELETE.")
    if not operation.endpoint:
        raise invalid_syntax(
            "The path of an operation is /Users, /Groups, or one of these with an id: "
            f"{shown(operation.path)} is not served."
        )
    if (operation.method == "POST") != (operation.resource_id == ""):
        raise invalid_syntax(f"{operation.method} does not go with the path {operation.path}.")
    bulk_id = fields.get("bulkid")
    if operation.method == "POST" and not operation.bulk_id:
        raise invalid_syntax("A POST operation needs a bulkId (RFC 7644 §3.7).")
    if bulk_id is not None and (not isinstance(bulk_id, str) or len(bulk_id) > LONGEST_BULK_ID):
        raise invalid_syntax(f"bulkId is a string of at most {LONGEST_BULK_ID} characters.")
    version = fields.get("version")
    if version is not None and not isinstance(version, str):
        raise invalid_syntax("version is a string.")
    data = fields.get("data")
    if operation.method != "DELETE" and not isinstance(data, dict):
        raise invalid_syntax(f"data must be an object, not {kind(data)}.")
    read = replace(operation, version=version, data=data)
    return replace(read, needs=_named(read))


def _with_unique_ids(operations: Iterable[BulkOperation]) -> Iterable[BulkOperation]:
    seen: set[str] = set()
    for operation in operations:
        if operation.bulk_id and operation.error is None:
            if operation.bulk_id in seen:
                detail = f"The bulkId {shown(operation.bulk_id)} is used twice."
                yield replace(operation, error=invalid_syntax(detail), needs=frozenset())
                continue
            seen.add(operation.bulk_id)
        yield operation


def ordered(request: BulkRequest) -> Iterable[BulkOperation]:
    """Return the operations so that each comes after those it refers to, else as they stand.

    Operations that refer to each other in a circle come last, with a 409 (RFC 7644 §3.7.1); so do
    those that wait for them.
    """
    makers = {op.bulk_id: op for op in request.operations if op.method == "POST" and not op.error}
    waiting = {
        op.index: {makers[name].index for name in op.needs if name in makers}
        for op in request.operations
    }
    waited_for: dict[int, list[int]] = {}
    for index, needs in waiting.items():
        for need in needs:
            waited_for.setdefault(need, []).append(index)
    # The first that waits for nothing comes next: nothing moves that need not.
    free = [index for index, needs in waiting.items() if not needs]
    done: set[int] = set()
    while free:
        index = heapq.heappop(free)
        done.add(index)
        yield request.operations[index]
        for other in waited_for.get(index, ()):
            waiting[other].discard(index)
            if not waiting[other]:
                heapq.heappush(free, other)
    for operation in request.operations:
        if operation.index not in done:
            detail = "The bulkIds of these operations refer to each other in a circle."
            yield replace(operation, error=ScimError(detail, status=409))


def resolved(operation: BulkOperation, ids: Mapping[str, str]) -> tuple[str, Any]:
    """Return the id and the data of an operation with every reference replaced.

    `ids` are the ids that finished operations made, by bulkId. Raises ScimError for a reference
    to an operation that failed or does not exist.
    """
    for name in operation.needs:
        if name not in ids:
            raise invalid_value(
                f"bulkId:{name} stands for no resource: its operation failed or is missing."
            )

    if not operation.needs:
        return operation.resource_id, operation.data
    return _referring(operation, ids.__getitem__)


def _referring(operation: BulkOperation, put: Callable[[str], str]) -> tuple[str, Any]:
    """Return the id and the data of an operation with each bulkId put through a function.

    Only what is kept refers to anything: the id in the path, and the members of a group. A
    `manager` is ignored, `groups` are read-only, and other texts may say bulkId as they please.
    """
    whole = _REFERENCE.fullmatch(operation.resource_id)
    resource_id = put(whole[1]) if whole else operation.resource_id
    data = operation.data
    if operation.endpoint == "Groups" and isinstance(data, dict):
        if operation.method == "PATCH":
            data = {
                key: [_step(each, put) for each in value] if _is_list(key, value) else value
                for key, value in data.items()
            }
        else:
            data = _members(data, put)
    return resource_id, data


def _is_list(key: str, value: Any) -> bool:
    return key.lower() == "operations" and isinstance(value, list)


def _step(operation: Any, put: Callable[[str], str]) -> Any:
    """Return an operation of a PATCH with the references of its path and its value replaced."""
    if not isinstance(operation, dict):
        return operation
    path = next((v for k, v in operation.items() if k.lower() == "path"), None)
    if not isinstance(path, str):
        return {
            key: _members(value, put) if key.lower() == "value" else value
            for key, value in operation.items()
        }
    if not _names_members(path.partition("[")[0]):
        return operation
    changed = {}
    for key, value in operation.items():
        if key.lower() == "path":
            value = _REFERENCE.sub(lambda match: put(match[1]), path)
        elif key.lower() == "value":
            value = _each(value, put)
        changed[key] = value
    return changed


def _members(data: Any, put: Callable[[str], str]) -> Any:
    if not isinstance(data, dict):
        return data
    return {key: _each(v, put) if _names_members(key) else v for key, v in data.items()}


def _names_members(name: str) -> bool:
    return name.strip().lower().rpartition(":")[2] == "members"


def _each(value: Any, put: Callable[[str], str], depth: int = 0) -> Any:
    """Return a value whose texts that are a whole reference are put through a function."""
    if depth > _DEEPEST:
        raise invalid_syntax("The data of an operation is nested too deeply.")
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return put(whole[1]) if whole else value
    if isinstance(value, dict):
        return {name: _each(inner, put, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, put, depth + 1) for inner in value]
    return value


def _named(operation: BulkOperation) -> frozenset[str]:
    """Return the bulkIds that an operation refers to."""
    names: set[str] = set()

    def note(name: str) -> str:
        names.add(name)
        return name

    _referring(operation, note)
    return frozenset(names)
