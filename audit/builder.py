"""Making a filter of a column: first the column, then what is asked of it and the value.

Each step is a plain GET, so that it works without JavaScript; the last one leads to the address
of what is shown then.
"""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise

from audit import columns as shown
from audit.conditions import COLUMNS, OPERATORS, WITHOUT_VALUE, Wrong, make
from audit.forms import FilterForm

Text = str | Promise
MOST_VALUES = 20


@dataclass(frozen=True, slots=True)
class Link:
    """A column, and the query of the step that asks for the rest."""

    label: Text
    query: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is asked for a column; `kept` is what the address holds beside it."""

    column: str
    label: Text
    operators: list[tuple[str, Text]]
    choices: list[tuple[str, Text]]
    is_time: bool
    can_be_empty: bool
    has_index: bool
    kept: list[tuple[str, str]]


def columns(form: FilterForm) -> list[Link]:
    """Return the columns that can be filtered, in the order of the table."""
    return [Link(COLUMNS[key].label, form.query(column=key)) for key in shown.ORDER]


def ask(form: FilterForm, key: str) -> Asked | None:
    """Return what to ask for a column; None when there is no such column."""
    if (column := COLUMNS.get(key)) is None:
        return None
    return Asked(
        key,
        column.label,
        [(operator, OPERATORS[operator]) for operator in column.operators],
        list(column.choices().items()) if column.choices else [],
        key == "time",
        any(operator in WITHOUT_VALUE for operator in column.operators),
        column.index,
        kept(form),
    )


def kept(form: FilterForm, *without: str) -> list[tuple[str, str]]:
    """Return what the address holds, as the hidden fields of another form."""
    held = QueryDict(form.query(**dict.fromkeys(without, "")))
    return [(name, value) for name, values in held.lists() for value in values]


def is_sent(sent: QueryDict) -> bool:
    """Return whether an address is that of a form, and not yet one to share."""
    return bool({"column", "col", "keep"} & set(sent))


def query(form: FilterForm, sent: QueryDict) -> str:
    """Return the query that shows what a form asked for.

    A filter that says nothing is kept as it was written: its chip tells why.
    """
    changed = {}
    if "col" in sent:
        changed["cols"] = shown.text_of(sent.getlist("col"))
    texts = []
    if column := sent.get("column", ""):
        operator = sent.get("operator", "")
        values = [""] if operator in WITHOUT_VALUE else sent.getlist("value")[:MOST_VALUES] or [""]
        zone = "Z" if sent.get("zone") == "utc" else ""
        texts = [_text(column, operator, value, zone) for value in values]
    return form.query(plus=texts, **changed)


def _text(column: str, operator: str, value: str, zone: str) -> str:
    try:
        return str(make(column, operator, value + zone if value and column == "time" else value))
    except Wrong:
        return f"{column}.{operator}.{value}"
