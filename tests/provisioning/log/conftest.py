"""A client whose requests are read back as rows of the log."""

from collections.abc import Callable
from typing import Any

import pytest

from provisioning.api import throttling
from provisioning.log.buffer import LOG
from provisioning.models import LoggedRequest
from provisioning.models.attributes import forget_types


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Forget what a worker keeps in memory between requests."""
    forget_types()
    throttling.forget()


@pytest.fixture
def rows(db: None) -> Callable[[], list[LoggedRequest]]:
    """Write what was logged; return every row, the newest last."""

    def written() -> list[LoggedRequest]:
        LOG.flush()
        return list(LoggedRequest.objects.order_by("id"))

    return written


@pytest.fixture
def last(rows: Callable[[], list[LoggedRequest]]) -> Callable[[], LoggedRequest]:
    """Write what was logged; return the newest row."""
    return lambda: rows()[-1]


@pytest.fixture
def luis(scim: Any) -> str:
    """A user that Entra provisioned; its id. Its own request is not in the log."""
    made = scim.post("/Users", {"userName": "luis@corp.example", "displayName": "Luis"})
    LOG.reset()
    return str(made.json()["id"])
