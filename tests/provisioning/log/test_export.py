"""The log as a file: no cell is a formula, every line is JSON."""

import csv
import io
import json
from uuid import UUID

import pytest

from audit.exports.cells import FORMULA
from provisioning.log import export
from provisioning.models import LoggedRequest
from tests.provisioning.log.test_queries import NOW

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=cmd|"/c calc"!A0',
    "＝1",
    "a\nb",
    'a"b;c,d',
]


def request(name):
    return LoggedRequest(
        at=NOW, provider_label=name, token_id=UUID(int=1), token_hint="abcd", method="POST",
        path="/scim/v2/Users", name=name, status=409, detail=name, duration_us=1_500,
        request_id="r", user_agent=name, ignored=[name, "title"], request_body='{"a": 1}',
    )  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_is_a_formula(name):
    text = "".join(export.as_csv([request(name)]))
    assert text.startswith("\ufefftime,")
    head, line = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    told = dict(zip(head, line, strict=True))
    assert told["name"].removeprefix("'") == name, "nothing is lost"
    assert not any(cell.startswith(FORMULA) for cell in line)
    assert told["durationMs"] == "1.5"
    assert head == list(export.COLUMNS)


@pytest.mark.parametrize("name", HOSTILE)
def test_every_line_is_json(name):
    (line,) = export.as_json_lines([request(name)])
    told = json.loads(line)
    assert told["name"] == name
    assert told["request"] == {"a": 1}
    assert told["reply"] is None
    assert line.count(b"\n") == 1
