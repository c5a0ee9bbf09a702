"""The columns of the table of events: which there are, and which a viewer chose."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise

from audit.conditions import COLUMNS

# In the order of the manual; the others stand before the time, which closes the row.
ORDER = (
    "activity", "type", "category", "name", "by", "status", "details",
    "idp", "address", "program", "request", "number", "time",
)  # fmt: skip
USUAL = ("activity", "type", "category", "name", "by", "status", "details", "time")


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that can be chosen, and whether it is."""

    key: str
    label: str | Promise
    is_chosen: bool


def chosen(text: str) -> tuple[str, ...]:
    """Return the columns that a text names, in their fixed order; the usual ones for none."""
    named = set(text.split(","))
    return tuple(key for key in ORDER if key in named) or USUAL


def text_of(keys: Iterable[str]) -> str:
    """Return columns as they stand in an address; "" for the usual ones."""
    named = set(keys)
    found = tuple(key for key in ORDER if key in named)
    return "" if found == USUAL else ",".join(found)


def choices(keys: Iterable[str]) -> list[Shown]:
    """Return every column, and whether it is among some."""
    named = set(keys)
    return [Shown(key, COLUMNS[key].label, key in named) for key in ORDER]
