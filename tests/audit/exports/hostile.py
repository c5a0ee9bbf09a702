"""Events that would break a file if anything of them were written as it stands."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from audit.exports.formats import FORMATS
from audit.exports.rows import Row
from audit.types import EventType

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
TRAILER = {
    "rows": 0,
    "sha256": "0" * 64,
    "query": "q=a%3Db%7Cc",
    "until": "2026-11-20T13:00:00.000000+00:00",
    "head": {"seal": 7, "signature": "ab", "payload": '["alta.seal.1",7,"\\u00e1"]'},
    "unsealed": 3,
}
VALUES = (
    "=cmd|' /C calc'!A0",
    "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1",
    "  =1", "＝1", "＋1", "－1", "＠1", "\u200b=1",
    'quote " and "" and , and ;',
    "line\none\r\ntwo\rthree",
    "pipe | equals = backslash \\ all \\| \\= \\\\ end\\",
    "act=forged outcome=success msg=x",
    "CEF:0|Evil|Evil|1|x|y|10|",
    "\x00\x01\x08\x0b\x1b[31m\x7f",
    "\u202eevil\u2066\u2069", "\u2028\u2029\x85",
    "👩‍👩‍👧 ñ 漢字",
    "</script><script>alert(1)</script>",
    "x" * 1_024,
    "",
)  # fmt: skip


def row(number: int, **columns: object) -> Row:
    usual = Row(
        number, NOON + timedelta(seconds=number), "user.updated", "user", "success",
        "administrator", "1", "ana", "user", "0192f0c1-2345-7abc-8def-0123456789ab",
        "luis@example.com", UUID(int=7), "entra-id", "Entra ID", "req-1", "203.0.113.9", "Tests/1",
        "{}", "{}",
    )  # fmt: skip
    return usual._replace(**columns)


def rows() -> list[Row]:
    """Return each hostile value in every place, and each type of event once."""
    made = [
        row(
            n, actor_id=text[:64], actor_label=text, target_id=text[:64], target_label=text,
            provider_label=text, request_id=text[:64], user_agent=text,
            ip_address=("203.0.113.9", "2001:db8::1", None)[n % 3],
            target_kind=("user", "group")[n % 2],
            changes=json.dumps({"displayName": [text, None]}), details=json.dumps({text: [text]}),
        )
        for n, text in enumerate(VALUES, 1)
    ]  # fmt: skip
    made += [
        row(100 + n, type=type.key, category=type.category.key,
            outcome=("success", "failure")[n % 2])
        for n, type in enumerate(EventType)
    ]  # fmt: skip
    unknown = {"type": "=new.thing|x", "category": "=new", "outcome": "=odd"}
    return [*made, row(999, **unknown, provider_id=None, target_kind="=k", actor_kind="=k")]


def written(key: str, language: str = "es") -> bytes:
    """Return the file of these events."""
    format = FORMATS[key](language)
    some = rows()
    trailer = format.trailer(TRAILER | {"rows": len(some)})
    return format.begin() + format.lines(some) + trailer
