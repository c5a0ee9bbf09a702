"""Bytes → JSON and JSON → bytes, strictly: what a parser might guess is refused instead."""

import json
import math
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from django_scim.constants import SCIM_CONTENT_TYPE
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer

from provisioning.scim.errors import ScimError, invalid_syntax, too_large
from provisioning.scim.values import refuse_unstorable

LONGEST_INTEGER = 20  # digits and sign of a 64-bit number
DEEPEST = 100
MOST_NAMES = 10_000  # in one object; a user has a hundred custom attributes at most
MOST_COMMAS = 400_000  # twice what 8 MiB of members has: past it a body only costs time
# RFC 7644 §3.1; IdPs that name no type send JSON as well.
MEDIA_TYPES = frozenset({SCIM_CONTENT_TYPE, "application/json", "text/json", ""})


class ScimRenderer(BaseRenderer):
    """Write SCIM bodies."""

    media_type = SCIM_CONTENT_TYPE
    format = "scim"
    charset = None

    def render(self, data: Any, media_type: Any = None, context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class OneRenderer(BaseContentNegotiation):
    """Answer in SCIM's media type whatever Accept says: never 406."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return None  # bodies are read by `read`

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def read(request: HttpRequest) -> Any:
    """Return the JSON of a request's body. Raises ScimError, UnsupportedMediaType.

    Not DRF's `request.data`: it takes a chunked body, which announces no length, for an empty one.
    """
    kind = (request.content_type or "").strip().lower()
    if kind not in MEDIA_TYPES:
        raise UnsupportedMediaType(kind)
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType(kind, detail="Bodies may not be compressed.")
    return loads(body(request))


def body(request: HttpRequest) -> bytes:
    """Return the request's body, chunked or not. Raises ScimError 413 past the limit."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    refusal = too_large(f"The body is larger than {limit} bytes.")
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise refusal
    except ValueError:
        raise invalid_syntax("Content-Length is not a number.") from None
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        # Django reads CONTENT_LENGTH bytes, which a chunked request does not announce.
        data: bytes = request.META["wsgi.input"].read(limit + 1)
        if len(data) > limit:
            raise refusal
        request._body = data
        return data
    return request.body


def loads(data: bytes) -> Any:
    """Return what a JSON text says. Raises ScimError invalidSyntax for anything doubtful."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise invalid_syntax("The body is not UTF-8.") from None
    if not text.strip():
        raise invalid_syntax("The body is empty.")
    if data.count(b",") > MOST_COMMAS:
        raise too_large(f"The body has more than {MOST_COMMAS:,} values.")
    try:
        found = _DECODER.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise invalid_syntax(f"The body is not JSON: {error}.") from None
    _check_depth(found)
    refuse_unstorable(found)
    return found


def _too_deep() -> ScimError:
    return invalid_syntax(f"The body is nested deeper than {DEEPEST} levels.")


def _check_depth(found: Any) -> None:
    level = [found] if isinstance(found, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
    raise _too_deep()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; refuse a name given twice, also in another case (RFC 7643 §2.1)."""
    found = dict(pairs)
    if len(pairs) > MOST_NAMES:
        raise ValueError(f"an object has more than {MOST_NAMES:,} names")
    if len(found) != len(pairs) or len({name.lower() for name in found}) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError("a number has more digits than 64 bits hold")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
