"""What the log may keep of a body: the attributes that Alta keeps, and never a secret.

An allow-list: a value is shown only when it belongs to an attribute that Alta keeps anyway. A
password, a phone number or a key that nobody knows leaves its name and a mask.
"""

import re
from typing import Any
from urllib.parse import unquote_plus

import orjson

from provisioning.scim.model import ResourceType

MASK = "••••••"
LARGEST = 64 * 1024  # bytes of a body that is kept at all
MOST_ELEMENTS = 20  # of a list: a group of fifty thousand tells no more than its beginning
LONGEST_TEXT = 1_024
DEEPEST = 12
TOKEN = re.compile(r"alta(?:_|%5f)scim(?:_|%5f)[0-9A-Za-z%_]+", re.IGNORECASE)
SECRET_WORDS = (
    "password", "passwd", "pwd", "secret", "token", "credential", "apikey", "privatekey",
    "passphrase", "authorization",
)  # fmt: skip
# What is about the message, not about a person.
_ENVELOPE = frozenset({"schemas", "id", "meta"})
_SEARCH = frozenset(
    {"schemas", "filter", "sortby", "sortorder", "startindex", "count", "cursor", "attributes",
     "excludedattributes"}
)  # fmt: skip
_QUOTED = re.compile(r"\"[^\"]*\"?|'[^']*'")


def names_secret(text: str) -> bool:
    """Return whether a text names something that is a secret."""
    plain = text.lower().replace("_", "").replace("-", "")
    return any(word in plain for word in SECRET_WORDS)


def scrubbed(text: str) -> str:
    """Return a text without tokens, and without what neither database can hold."""
    if "\x00" in text or not text.isascii():
        text = text.replace("\x00", "").encode(errors="ignore").decode()
    return TOKEN.sub(f"alta_scim_{MASK}", text)


def quotes_masked(text: str) -> str:
    """Mask what a text quotes: for texts about a secret."""
    return _QUOTED.sub(f"'{MASK}'", text)


def path(text: str) -> str:
    """Return a path with its query; a parameter that speaks of a secret keeps only its name."""
    place, mark, query = text.partition("?")
    if not mark:
        return scrubbed(place)
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        plain = unquote_plus(value)
        if names_secret(unquote_plus(name)) or names_secret(plain) or TOKEN.search(plain):
            value = MASK if equals else ""
        parts.append(f"{name}{equals}{value}")
    return scrubbed(f"{place}?{'&'.join(parts)}")


def read(body: Any) -> Any:
    """Return the JSON of a body; None for what is none, because it cannot be redacted."""
    if not isinstance(body, bytes):
        return body
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None


def request(body: Any, method: str, type: ResourceType | None) -> Any:
    """Return a request's body as the log keeps it."""
    if not isinstance(body, dict):
        return None
    if type is None:  # a search, or what no resource is the subject of
        return {
            key: _shortened(value) if key.lower() in _SEARCH and not _tells(value) else MASK
            for key, value in body.items()
        }
    if method != "PATCH":
        return _resource(body, type)
    return {
        key: [_operation(each, type) for each in value[:MOST_ELEMENTS]] + _rest(value)
        if key.lower() == "operations" and isinstance(value, list)
        else _shortened(value) if key.lower() == "schemas" else MASK
        for key, value in body.items()
    }  # fmt: skip


def reply(body: Any) -> Any:
    """Return an answer's body as the log keeps it: Alta sends only what it keeps."""
    return _shortened(body)


def _tells(value: Any) -> bool:
    return isinstance(value, str) and names_secret(value)


def _operation(operation: Any, type: ResourceType) -> Any:
    if not isinstance(operation, dict):
        return MASK
    given = next((v for k, v in operation.items() if k.lower() == "path"), None)
    found: dict[str, Any] = {}
    for key, value in operation.items():
        name = key.lower()
        if name == "op" and isinstance(value, str):
            found[key] = value[:20]
        elif name == "path" and isinstance(value, str):
            found[key] = _shortened(quotes_masked(value) if names_secret(value) else value)
        elif name == "value" and isinstance(given, str) and given.strip():
            found[key] = _value(value, re.sub(r"\[.*?\]", "", given).strip(), type)
        elif name == "value":
            found[key] = _resource(value, type) if isinstance(value, dict) else MASK
        else:
            found[key] = MASK
    return found


def _resource(body: dict[str, Any], type: ResourceType) -> dict[str, Any]:
    return {
        key: _shortened(value) if key.lower() in _ENVELOPE else _value(value, key, type)
        for key, value in body.items()
    }


def _value(value: Any, name: str, type: ResourceType) -> Any:
    """Return the value of an attribute, masked unless it is kept."""
    if isinstance(value, dict) and type.extension(name) is not None:
        return {key: _value(inner, f"{name}:{key}", type) for key, inner in value.items()}
    found = type.find(name)
    if found is None or not found.kept or names_secret(name):
        return MASK
    if found.leaf.type != "complex" or not isinstance(value, dict | list):
        return _shortened(value)
    if isinstance(value, dict):
        return _parts(value, name, type)
    some = [
        _parts(each, name, type) if isinstance(each, dict) else _shortened(each)
        for each in value[:MOST_ELEMENTS]
    ]
    return some + _rest(value)


def _parts(value: dict[str, Any], name: str, type: ResourceType) -> dict[str, Any]:
    return {
        key: _shortened(inner) if (path := type.find(f"{name}.{key}")) and path.kept else MASK
        for key, inner in value.items()
    }


def _rest(elements: list[Any]) -> list[str]:
    more = len(elements) - MOST_ELEMENTS
    return [f"… +{more}"] if more > 0 else []


def _shortened(value: Any, depth: int = 0) -> Any:
    """Return a value with long texts and lists cut, and secrets masked at any depth."""
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return value[:LONGEST_TEXT] + "…"
        case dict() | list() if depth > DEEPEST:
            return "…"
        case dict():
            return {
                key: MASK if names_secret(key) else _shortened(inner, depth + 1)
                for key, inner in value.items()
            }
        case list():
            some = [_shortened(inner, depth + 1) for inner in value[:MOST_ELEMENTS]]
            return some + _rest(value)
        case _:
            return value
