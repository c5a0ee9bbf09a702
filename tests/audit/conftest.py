"""Events of any age and type, and a count of what a page asks of the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import append_only
from audit.models import PROVIDER_ALIASES, Event
from audit.search import searchable
from audit.types import BY_KEY

LABELS = {"entra-id": "Entra ID", "okta": "Okta", "": ""}
MakeEvent = Callable[..., Event]


@pytest.fixture
def happened(db: None) -> MakeEvent:
    """Insert an event as if it had happened at any moment: `happened(at, type=…, label=…)`."""

    def make(at: datetime | None = None, **columns: Any) -> Event:
        type_ = columns.setdefault("type", "user.updated")
        kind = columns.setdefault("provider_kind", "entra-id")
        label = columns.pop("label", "luis@example.com")
        known = BY_KEY.get(type_)
        columns.setdefault("category", known.category.key if known else "unknown")
        columns.setdefault("provider_label", LABELS[kind])
        columns.setdefault("target_kind", "user")
        columns.setdefault("target_id", "0192f0c1-2345-7abc-8def-0123456789ab")
        columns.setdefault("actor_label", "ana")
        words = [label, columns["actor_label"], columns["provider_label"]]
        return Event.objects.create(
            performed_at=at or timezone.now(),
            target_label=label,
            outcome=columns.pop("outcome", "success"),
            actor_kind=columns.pop("actor_kind", "administrator"),
            actor_id=columns.pop("actor_id", "1"),
            search=searchable([*words, PROVIDER_ALIASES.get(kind, "")]),
            **columns,
        )

    if connection.vendor == "postgresql":  # its trigger would set the time to now
        with connection.cursor() as cursor:
            cursor.execute(append_only.POSTGRESQL_REMOVE)
    return make


@pytest.fixture
def selects() -> Callable[[int], Any]:
    """Check how many SELECTs a block sends: `with selects(3): …`."""

    @contextmanager
    def counted(expected: int) -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        asked = [q["sql"] for q in captured.captured_queries if q["sql"].startswith("SELECT")]
        assert len(asked) == expected, "\n".join(asked)

    return counted


@pytest.fixture
def old(monkeypatch):
    """Seals 1–3: month OLD; 4: its end and the next one's begin; 5: the next month; 6: now."""
    from tests.audit import old_months  # it needs the tests of the seals

    yield from old_months.made(monkeypatch)
