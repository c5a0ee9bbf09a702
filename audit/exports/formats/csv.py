"""CSV (RFC 4180) for spreadsheets: UTF-8 with a BOM, words in the language of who asked."""

import csv
import json
from collections.abc import Iterable
from io import StringIO
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.exports.cells import BOM, safe
from audit.exports.formats.base import Format, Trailer, activities, iso
from audit.exports.rows import Row
from audit.presentation import ACTORS, CATEGORIES, OUTCOMES, TARGETS

MARK = "# Alta"  # the first cell of the last record


class Csv(Format):
    """A cell a column; changes and details as JSON, which loses nothing."""

    key = "csv"
    label = "CSV"
    extension = "csv"
    content_type = "text/csv; charset=utf-8"

    def __init__(self, language: str = "en") -> None:
        super().__init__(language)
        self._activities = activities(language)
        with translation.override(language):
            self._header = _header()
            self._categories = {key: str(one.label) for key, one in CATEGORIES.items()}
            self._outcomes = {key: str(one.label) for key, one in OUTCOMES.items()}
            self._targets = {key: str(text) for key, text in TARGETS.items()}
            self._actors = {key: str(text) for key, text in ACTORS.items()}

    def begin(self) -> bytes:
        return BOM.encode() + _written([self._header])

    def line(self, row: Row) -> bytes:
        return self.lines([row])

    def lines(self, rows: Iterable[Row]) -> bytes:
        return _written(map(self._cells, rows))

    def trailer(self, trailer: Trailer) -> bytes:
        return _written([[MARK, json.dumps(trailer)]])

    @classmethod
    def trailer_in(cls, line: str) -> Trailer | None:
        if not line.startswith(MARK):
            return None
        (cells,) = csv.reader([line])
        found: Trailer = json.loads(cells[1])
        return found

    def _cells(self, row: Row) -> list[Any]:
        kind, category, outcome = row.type, row.category, row.outcome
        return [
            row.id,
            iso(row.at),
            self._activities.get(kind) or safe(kind),
            safe(kind),
            self._categories.get(category) or safe(category),
            self._outcomes.get(outcome) or safe(outcome),
            self._targets.get(row.target_kind) or safe(row.target_kind),
            safe(row.target_label),
            safe(row.target_id),
            safe(row.actor_label),
            self._actors.get(row.actor_kind) or safe(row.actor_kind),
            safe(row.actor_id),
            safe(row.provider_label),
            row.ip_address or "",
            safe(row.request_id),
            safe(row.user_agent),
            "" if row.changes == "{}" else row.changes,  # JSON begins with a brace
            "" if row.details == "{}" else row.details,
        ]


def _header() -> list[str]:
    return [
        _("Event id"),
        _("Performed at"),
        _("Activity"),
        _("Activity (key)"),
        _("Category"),
        _("Status"),
        _("Type"),
        pgettext("column", "Name"),
        _("Id"),
        _("Performed by"),
        _("Performed by (kind)"),
        _("Performed by (id)"),
        _("Identity provider"),
        _("IP address"),
        _("Request id"),
        _("Program"),
        _("Changes (JSON)"),
        _("Details (JSON)"),
    ]


def _written(records: Iterable[list[Any]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(records)
    return text.getvalue().encode("utf-8")
