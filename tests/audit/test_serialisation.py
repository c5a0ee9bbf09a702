"""The bytes that are sealed: they must be the same for ever, on both databases."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from django.db import connection

from audit.evidence import serial
from audit.evidence.merkle import Tree
from audit.evidence.windows import NO_END, SQLITE, Stream, Window
from audit.models import Event

# One of every column, with what could be told in two ways: order, spaces, zeros, accents, floats.
GOLDEN = (
    '["alta.event.1",null,7,"2026-11-24 03:23:04.500000","user.updated","user","success",'
    '"token","t-1","Entra \\u00b7 \\u00ab1\\u00bb","user","u-1","Jos\\u00e9 \\ud83d\\ude00",'
    '"0192f0c112347abc8def0123456789ab","entra-id","Entra ID","req-1","2001:db8::1","Agent/1",'
    '{"active":[true,false],"displayName":[null,"Jos\\u00e9"]},'
    '{"a":1.5,"b":[{"y":2,"z":"\\"\\\\"}],"big":12345678901234567890123}]'
)


@pytest.fixture
def event(db):
    Event.objects.create(
        id=7,
        type="user.updated",
        category="user",
        outcome="success",
        actor_kind="token",
        actor_id="t-1",
        actor_label="Entra · «1»",
        target_kind="user",
        target_id="u-1",
        target_label="José 😀",
        provider_id=UUID("0192f0c1-1234-7abc-8def-0123456789ab"),
        provider_kind="entra-id",
        provider_label="Entra ID",
        request_id="req-1",
        ip_address="2001:db8::1",
        user_agent="Agent/1",
        changes={"displayName": [None, "José"], "active": [True, False]},
        details={"big": 12345678901234567890123, "b": [{"z": '"\\', "y": 2}], "a": 1.5},
        search=" not sealed",
    )


def kept():
    with Stream(Window(SQLITE)) as stream:
        ((row,),) = stream.below(NO_END)
    return row


def test_an_event_has_the_same_bytes_for_ever(event):
    row = kept()
    fixed = (None, row[1], "2026-11-24 03:23:04.500000", *row[3:])
    assert serial.canonical(fixed).decode() == GOLDEN
    assert serial.leaf(fixed).hex() == sha256(b"\0" + GOLDEN.encode()).hexdigest()


def test_every_column_but_the_search_is_sealed():
    columns = {field.column for field in Event._meta.concrete_fields}
    assert columns - set(serial.COLUMNS) == {"search"}
    assert set(serial.COLUMNS) <= columns


@pytest.mark.parametrize(
    "moment", ["2026-11-24 03:23:04", "2026-11-24 03:23:04.500", "2026-11-24 03:23:04.500001"]
)
def test_a_moment_has_six_places_however_it_is_kept(moment):
    row = (1, 2, moment, *["x"] * 15, "{}", "{}")
    told = json.loads(serial.canonical(row))[3]
    assert len(told) == 26
    assert datetime.fromisoformat(told).replace(tzinfo=UTC) == datetime.fromisoformat(
        moment
    ).replace(tzinfo=UTC)


@pytest.mark.parametrize("odd", [None, "", "{", "[" * 100_000, b"\xff", 7])
def test_what_no_operation_wrote_has_bytes_of_its_own(odd):
    rows = [
        (1, 2, moment, *["x"] * 15, "{}", details) for moment, details in ((odd, "{}"), ("", odd))
    ]
    plain = serial.canonical((1, 2, "2026-11-24 03:23:04", *["x"] * 15, "{}", "{}"))
    assert plain not in [serial.canonical(row) for row in rows]


def test_a_row_is_read_alike_from_both_databases(event):
    row = kept()
    assert len(row[serial.MOMENT]) in (23, 26)
    assert row[serial.TRANSACTION] is None or connection.vendor == "postgresql"
    assert row[12:14] == ("0192f0c112347abc8def0123456789ab", "entra-id")


def reference(leaves):
    """RFC 6962 §2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + reference(leaves[:k]) + reference(leaves[k:])).digest()


@pytest.mark.parametrize("count", [*range(1, 18), 31, 32, 33, 100])
def test_the_root_is_that_of_the_rfc(count):
    leaves = [sha256(bytes([n])).digest() for n in range(count)]
    tree = Tree()
    tree.extend(leaves[: count // 2])
    tree.extend(leaves[count // 2 :])
    assert tree.root() == reference(leaves)
    assert tree.count == count


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert Tree().root() == sha256().digest()
