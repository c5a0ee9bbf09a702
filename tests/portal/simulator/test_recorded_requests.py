"""The recorded requests are well formed, and cover Entra ID and Okta in both of their ways."""

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
FILES = sorted(DATA.glob("*/*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_each_recorded_request_says_what_it_is_and_what_is_expected(file):
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["source"]
    assert record["fidelity"] in ("verbatim", "reconstructed")
    assert record["shape"] in ("seen", "inferred")
    assert set(record["request"]) == {"method", "path", "headers", "body"}
    assert record["request"]["path"].startswith("/")
    assert " " not in record["request"]["path"], "encoded as on the wire"
    assert 200 <= record["expect"]["status"] < 600
    assert (record["request"]["body"] is None) == (record["request"]["method"] in ("GET", "DELETE"))


def test_both_dialects_and_both_app_styles_are_recorded():
    names = {f"{file.parent.name}/{file.stem}" for file in FILES}
    for name in ("entra/disable_user", "entra/remove_member", "entra/update_user"):
        assert {name, f"{name}_optscim"} <= names
    assert {"okta/deactivate_user", "okta/put_user_deactivate_aiw"} <= names
