"""Hostile events in every format: the golden files, and what an independent reader finds there.

After a change that is meant, `ALTA_WRITE_GOLDEN=1 bin/test tests/audit/exports` writes them anew.
"""

import csv
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from audit.exports.cells import safe
from audit.exports.formats import FORMATS
from tests.audit.exports.hostile import TRAILER, VALUES, rows, written

GOLDEN = Path(__file__).parents[2] / "data" / "exports"
ROWS = rows()


@pytest.mark.parametrize("key", FORMATS)
def test_the_bytes_are_those_of_the_golden_file(key: str) -> None:
    path = GOLDEN / f"hostile.{FORMATS[key].extension}"
    if os.environ.get("ALTA_WRITE_GOLDEN"):
        path.write_bytes(written(key))
    assert written(key) == path.read_bytes()


@pytest.mark.parametrize("key", FORMATS)
def test_the_last_line_is_the_trailer_and_no_other_line_is(key: str) -> None:
    lines = written(key).decode("utf-8").split("\n")
    assert lines.pop() == ""
    found = [FORMATS[key].trailer_in(line.rstrip("\r")) for line in lines]
    assert found[-1] == TRAILER | {"rows": len(ROWS)}
    assert not any(found[:-1])


def test_csv_holds_what_happened_and_no_formula() -> None:
    text = written("csv").decode("utf-8")
    assert text.startswith("\ufeff")
    head, *records, last = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert head[:4] == ["Id. del evento", "Realizado en", "Actividad", "Actividad (clave)"]
    assert last[0] == "# Alta"
    assert len(records) == len(ROWS)
    for record, row in zip(records, ROWS, strict=True):
        cells = dict(zip(head, record, strict=True))
        assert cells["Id. del evento"] == str(row.id)
        assert cells["Nombre"] == safe(row.target_label)
        assert cells["Nombre"].removeprefix("'") == row.target_label
        assert json.loads(cells["Cambios (JSON)"] or "{}") == json.loads(row.changes)
        assert json.loads(cells["Detalles (JSON)"] or "{}") == json.loads(row.details)
        for cell in record:
            # Z: spaces, C: what is not seen.
            seen = next((c for c in cell if unicodedata.category(c)[0] not in "ZC"), "")
            assert seen not in tuple("=+-@＝＋－＠")
    assert text.count("\r\n") >= len(ROWS) + 2


@pytest.mark.parametrize("text", VALUES[:13])
def test_a_formula_is_shown_as_text(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a=1", "luis@example.com", "", "'", "1-2", "ñ"])
def test_other_text_stands_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_json_lines_hold_the_whole_event_with_its_keys_in_one_order() -> None:
    *lines, last = map(json.loads, written("jsonl").decode("utf-8").rstrip("\n").split("\n"))
    assert list(last) == ["trailer"]
    assert len({tuple(line) for line in lines}) == 1
    for line, row in zip(lines, ROWS, strict=True):
        assert line["performedAt"] == f"{row.at:%Y-%m-%dT%H:%M:%S.%f}Z"
        assert line["target"] == {
            "kind": row.target_kind, "id": row.target_id, "label": row.target_label,
        }  # fmt: skip
        assert line["actor"]["label"] == row.actor_label
        assert line["userAgent"] == row.user_agent
        assert line["changes"] == json.loads(row.changes)
        assert line["details"] == json.loads(row.details)


def parsed(line: str) -> tuple[list[str], dict[str, str]]:
    """Read a line of CEF as its specification says: seven fields, then pairs of key and value."""
    *head, rest = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    starts = [*re.finditer(r"(?:^| )([A-Za-z0-9]+)=", rest)]
    starts = [s for s in starts if not rest[: s.end() - 1].endswith("\\")]
    ends = [s.start() for s in starts[1:]] + [len(rest)]
    told = {"n": "\n", "r": "\r"}
    return head, {
        s[1]: re.sub(r"\\(.)", lambda m: told.get(m[1], m[1]), rest[s.end() : end])
        for s, end in zip(starts, ends, strict=True)
    }


def test_cef_holds_what_happened_a_line_an_event() -> None:
    lines = written("cef").decode("utf-8").rstrip("\n").split("\n")
    assert len(lines) == len(written("cef").decode("utf-8").splitlines()), "a character ends a line"
    for line, row in zip(lines[:-1], ROWS, strict=True):
        head, told = parsed(line)
        assert head[:4] == ["CEF:0", "Alta", "Alta", "1"]
        assert len(head) == 7
        assert 0 <= int(head[6]) <= 10
        assert told["externalId"] == str(row.id)
        assert told["outcome"] == row.outcome
        assert told["suser"] == clean(row.actor_label)
        assert told["duser" if row.target_kind == "user" else "fname"] == clean(row.target_label)
        assert told["rt"] == str(int(row.at.timestamp() * 1000))
        if row.changes != "{}":
            assert json.loads(told["cs2"]) == json.loads(row.changes)


def clean(text: str) -> str:
    return "".join(
        "\ufffd" if (ord(c) < 32 and c not in "\r\n") or c in "\x7f\x85\u2028\u2029" else c
        for c in text
    )


def test_a_long_value_of_cef_is_cut_where_the_specification_ends() -> None:
    format: Any = FORMATS["cef"]()
    line = format.line(ROWS[0]._replace(changes=json.dumps({"x": ["y" * 5_000, ""]})))
    value = parsed(line.decode("utf-8").rstrip("\n"))[1]["cs2"]
    assert len(value) == 4_000
    assert value.endswith("…")


def test_ocsf_names_the_class_and_activity_of_every_event() -> None:
    lines = written("ocsf").decode("utf-8").rstrip("\n").split("\n")[:-1]
    for line, row in zip(map(json.loads, lines), ROWS, strict=True):
        assert line["type_uid"] == line["class_uid"] * 100 + line["activity_id"]
        assert line["class_uid"] in (3001, 3002, 3004, 3006)
        assert line["category_uid"] == line["class_uid"] // 1000
        assert {"time", "severity_id", "metadata", "actor"} <= line.keys()
        target = {3001: "user", 3002: "user", 3004: "entity", 3006: "group"}[line["class_uid"]]
        assert line[target]["name"] == row.target_label
        assert line["unmapped"]["id"] == row.id
    by_type = {line["activity_name"]: line["type_uid"] for line in map(json.loads, lines)}
    assert by_type["user.created"] == 300101
    assert by_type["session.started"] == 300201
    assert by_type["token.created"] == 300401
    assert by_type["group.created"] == 300606
