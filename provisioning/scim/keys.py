"""Keys whose plain comparison is the comparison of the values: without case, and in order."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from provisioning.scim import limits
from provisioning.scim.model import Attribute

_EXPONENT_BIAS = 50_000  # floats need ±324; five digits leave room for any Decimal in use
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?(?:([Zz])|([+-])(\d\d):(\d\d))?",
    re.ASCII,
)


def fold(text: str) -> str:
    """Return the key of every comparison without case: NFKC, then lower case.

    Not casefold: ß and ss, ı and i stay different people. Folding a key again changes nothing.
    """
    return text.lower() if text.isascii() else _folded(text)


@lru_cache(limits.CACHE_ENTRIES)
def _folded(text: str) -> str:
    # Lower case may leave what NFKC would still compose, and the reverse: stop where both agree.
    while (folded := unicodedata.normalize("NFKC", text).lower()) != text:
        text = folded
    return text


def sort_key(attribute: Attribute, value: object) -> str:
    """Return text whose code-point order is the order of the attribute's values."""
    match attribute.type:
        case "boolean":
            return "true" if value else "false"
        case "integer" | "decimal":
            return _number_key(value)
        case "dateTime":
            moment = value if isinstance(value, datetime) else instant(str(value))
            return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
        case _:
            text = str(value)
            return text if attribute.case_exact else fold(text)


def _number_key(value: object) -> str:
    """Encode sign, exponent and digits: "0…~" negative, "1" zero, "2…" positive."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number:
        return "1"
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    size = f"{number.adjusted() + _EXPONENT_BIAS:05}{digits}"
    # ~ sorts after every digit: of two negative numbers the one with more digits is less.
    return f"2{size}" if number > 0 else f"0{size.translate(_COMPLEMENT)}~"


def instant(text: str) -> datetime:
    """Read an xsd:dateTime (RFC 7643 §2.3.5) as a moment in UTC; without an offset it is UTC.

    Raises ValueError when it is none. Digits past microseconds are dropped.
    """
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, time, fraction, _, sign, hours, minutes = found.groups()
    zone: timezone = UTC
    if sign:
        if int(hours) > 14 or int(minutes) > 59:
            raise ValueError(text)
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-offset if sign == "-" else offset)
    moment = datetime.fromisoformat(f"{day}T{time}.{(fraction or '')[:6]:0<6}")
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
