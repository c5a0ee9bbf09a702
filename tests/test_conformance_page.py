"""docs/conformance.md names real tests and real recordings, and every recording."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
TEST = re.compile(r"`((?:\w+/)*test_\w+\.py)::(\w+)`")
RECORDING = re.compile(r"`(\w+/\w+\.json)`")


def functions(path):
    """Return the names of the tests in a file; none when there is no such file."""
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_it_names_exists():
    named = set(TEST.findall(PAGE))
    files = {file: functions(TESTS / file) for file, _ in named}
    assert [f"{file}::{name}" for file, name in sorted(named) if name not in files[file]] == []
    assert PAGE.count("::test_") == len(TEST.findall(PAGE))  # none that the pattern overlooks
    assert len(named) > 100


def test_it_names_every_recording_and_no_other():
    named = set(RECORDING.findall(PAGE))
    recorded = {f"{file.parent.name}/{file.name}" for file in (TESTS / "data").glob("*/*.json")}
    assert named == recorded


def test_each_requirement_has_its_test_or_its_reason():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d", line)]
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [row for row, parts in zip(rows, cells, strict=True) if len(parts) != 3] == []
    reasons = ("Does not apply", "Do not apply", "Decided otherwise", "The reverse proxy")
    assert [row for row, parts in zip(rows, cells, strict=True)
            if not TEST.search(parts[2]) and not parts[2].startswith(reasons)] == []  # fmt: skip
