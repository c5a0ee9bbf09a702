"""No event, no change: every operation records one event, and one that cannot is taken back."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import OperationalError

from audit import journal
from audit.models import Event
from audit.types import EventType
from provisioning.models.attributes import forget_types
from tests.events import NEVER, ROWS, UNTOLD, Row, operation_name

EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


@pytest.fixture(autouse=True)
def _fresh_process():
    forget_types()


def everything_kept() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, ours and the framework's."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}


@EACH_ROW
@pytest.mark.django_db
def test_an_operation_records_one_event(row: Row):
    operation = row.arranged()
    before = set(Event.objects.values_list("pk", flat=True))
    operation()
    (event,) = Event.objects.exclude(pk__in=before)
    assert event.type == row.type.key


@EACH_ROW
@pytest.mark.django_db
def test_an_event_that_cannot_be_written_takes_its_change_back(row: Row, monkeypatch):
    def fail(**columns: Any) -> None:
        raise OperationalError("database or disk is full")

    operation = row.arranged()
    before = everything_kept()
    monkeypatch.setattr(journal, "Event", fail)
    with pytest.raises(OperationalError, match="disk is full"):
        operation()
    assert everything_kept() == before


# Completeness ---------------------------------------------------------------------------------


def is_record(node: ast.AST) -> bool:
    """Return whether a node is a call of `journal.record`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("journal.record", "record")


class Module:
    """What a module of operations says of itself."""

    def __init__(self, path: Path) -> None:
        self.name = ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]
        self.functions = {function.name: function for function in functions}
        self.public = {name for name in self.functions if not name.startswith("_")}

    def reached(self, name: str) -> dict[str, ast.FunctionDef]:
        """Return a function with the private ones of its module that it leads to."""
        found: dict[str, ast.FunctionDef] = {}
        waiting = {name}
        while waiting:
            at = waiting.pop()
            found[at] = self.functions[at]
            named = {node.id for node in ast.walk(found[at]) if isinstance(node, ast.Name)}
            waiting |= (named & self.functions.keys()) - self.public - found.keys()
        return found

    def types(self, name: str) -> set[str]:
        """Return the event types that a function, with its private ones, names and records."""
        nodes = [node for part in self.reached(name).values() for node in ast.walk(part)]
        if not any(is_record(node) for node in nodes):
            return set()
        texts = [ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)]
        return {text.split(".")[1] for text in texts if text.startswith("EventType.")}


def modules() -> list[Module]:
    """Return every module of operations, of every application."""
    return [Module(path) for path in sorted(settings.BASE_DIR.glob("*/operations/*.py"))]


def test_every_operation_and_event_of_it_has_its_row():
    told = {(operation_name(row.operation), row.type.name) for row in ROWS}
    asked = {
        (f"{module.name}.{function}", type)
        for module in modules()
        for function in module.public
        for type in module.types(function)
    }
    assert asked - told - NEVER == set(), "operations without a row in tests/events.py"
    assert told - asked == set()


def test_nothing_is_recorded_where_no_operation_leads():
    for module in modules():
        reached = {name for public in module.public for name in module.reached(public)}
        led_to = sum(is_record(n) for name in reached for n in ast.walk(module.functions[name]))
        assert led_to == sum(is_record(node) for node in ast.walk(module.tree)), module.name


def test_what_records_nothing_says_why():
    public = {f"{module.name}.{function}" for module in modules() for function in module.public}
    recording = {operation_name(row.operation) for row in ROWS}
    assert public - recording - UNTOLD.keys() == set(), "a row or a reason in tests/events.py"
    assert UNTOLD.keys() - (public - recording) == set(), "these exist no longer, or record"


def test_every_type_of_event_is_recorded_by_an_operation():
    recorded = {row.type for row in ROWS}
    assert set(EventType) - recorded == set()
