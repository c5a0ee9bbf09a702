"""What a JSON value must be to become the value of an attribute, and what it becomes."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Any

from provisioning.scim import quirks
from provisioning.scim.errors import TooLong, invalid_value, kind, shown
from provisioning.scim.keys import instant
from provisioning.scim.model import Attribute

# Characters nobody sees: control, format (bidi, zero-width), surrogates, line separators…
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# …letters, marks and signs that are drawn as nothing (Unicode: Default_Ignorable_Code_Point, the
# blank Braille pattern, the null note head), and code points that are no characters.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ufdd0-\ufdef]"
)
_INTEGER_LIMIT = 2**63


def coerce(attribute: Attribute, value: object, name: str) -> Any:
    """Return the canonical value of a simple attribute; None when it is unassigned.

    `name` is what an error calls the attribute. Raises ScimError invalidValue.
    """
    if value is None:
        return None
    match attribute.type:
        case "string" | "reference":
            return _text(attribute, value, name)
        case "boolean":
            return _boolean(attribute, value, name)
        case "integer":
            return integer(value, name)
        case "decimal":
            return decimal(value, name)
        case _:
            return _date_time(value, name)


def _text(attribute: Attribute, value: object, name: str) -> str | None:
    if not isinstance(value, str):
        raise invalid_value(f"{name} must be a string, not {kind(value)}.")
    if len(value) > attribute.max_length:
        raise TooLong(name, attribute.max_length)
    if attribute.printable and value:
        refuse_invisible(value, name)
    return value or None


def _boolean(attribute: Attribute, value: object, name: str) -> bool | None:
    if isinstance(value, bool):
        return value
    if value == "" and attribute.blank_clears:
        return None
    word = quirks.boolean_word(value) if isinstance(value, str) else None
    if word is None:
        given = shown(value) if isinstance(value, str) else kind(value)
        raise invalid_value(f"{name} must be true or false, not {given}.")
    return word


def integer(value: object, name: str) -> int | None:
    """Return a whole number of 64 bits; None for the empty text."""
    if value == "":
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid_value(f"{name} must be a whole number, not {_number_kind(value)}.")
    if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        raise invalid_value(f"{name} must be a whole number of at most 64 bits.")
    return value


def decimal(value: object, name: str) -> float | None:
    """Return a number as the double that JSON can carry; None for the empty text."""
    if value == "":
        return None
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise invalid_value(f"{name} must be a number, not {kind(value)}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise invalid_value(f"{name} must be a number within the range of a double.")
    return number + 0.0  # -0.0 becomes 0.0


def _number_kind(value: object) -> str:
    return "a fraction" if isinstance(value, float | Decimal) else kind(value)


def _date_time(value: object, name: str) -> str | None:
    if value == "":
        return None
    if isinstance(value, str):
        try:
            instant(value)
        except ValueError:
            pass
        else:
            return value
    raise invalid_value(
        f"{name} must be a date and time such as '2026-01-31T08:00:00Z', not "
        f"{shown(value) if isinstance(value, str) else kind(value)}."
    )


def refuse_invisible(text: str, name: str) -> None:
    """Raise invalidValue when a name is blank or has characters that nobody can see."""
    if not text.strip():
        raise invalid_value(f"{name} must not be blank.")
    if text != text.strip():
        raise invalid_value(f"{name} must not begin or end with a space.")
    if text.isascii() and text.isprintable():
        return
    for character in text:
        if (
            unicodedata.category(character) in _INVISIBLE_CATEGORIES
            or _INVISIBLE.match(character)
            or ord(character) & 0xFFFE == 0xFFFE
        ):
            raise invalid_value(
                f"{name} must not contain invisible characters (U+{ord(character):04X})."
            )


def refuse_unstorable(value: object) -> None:
    """Raise invalidValue when a text anywhere in a JSON value has NUL or a lone surrogate."""
    pending = [value]
    while pending:  # a loop, not recursion: a body may be nested deeper than Python's stack
        item = pending.pop()
        if isinstance(item, str):
            refuse_unstorable_text(item)
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def refuse_unstorable_text(text: str) -> None:
    """Raise invalidValue for NUL or a lone surrogate: no database or UTF-8 carries them."""
    if "\0" in text:
        raise invalid_value("A text must not contain the NUL character (U+0000).")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise invalid_value("A text must not contain a lone surrogate.") from None
