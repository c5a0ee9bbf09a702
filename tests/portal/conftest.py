"""Provisioned users and groups, made by the operations an IdP's requests end in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from provisioning.models import Group, SchemaState, User
from provisioning.models.attributes import forget_types, user_type
from provisioning.operations import groups, users

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Forget the schema that a worker keeps: another test's version had other attributes."""
    forget_types()


@pytest.fixture
def provisioned(db: None) -> Callable[..., User]:
    """Provision a user: `provisioned(entra, "luis@example.com", displayName="Luis")`."""

    def make(
        idp: Any, user_name: str, /, custom: dict[str, Any] | None = None, **given: Any
    ) -> User:
        resource = {"userName": user_name, **given}
        if custom:
            resource[CUSTOM] = custom
        version = SchemaState.objects.get(pk=1).version
        type_ = user_type(version, rename=idp.provider.allow_rename, kind=idp.provider.kind)
        return users.create(resource, provider=idp.provider, type=type_, actor=idp.actor)

    return make


@pytest.fixture
def luis(entra: Any, provisioned: Callable[..., User]) -> User:
    """A user of Entra's with every core attribute."""
    return provisioned(
        entra,
        "luis@example.com",
        displayName="Luis Pérez",
        externalId="ext-1",
        name={"givenName": "Luis", "familyName": "Pérez", "formatted": "Luis Pérez Gil"},
        emails=[{"value": "luis@corp.example", "type": "work", "primary": True}],
        active=True,
        **{ENTERPRISE: {"department": "Ventas"}},
    )


@pytest.fixture
def grouped(db: None) -> Callable[..., Group]:
    """Provision a group: `grouped(entra, "Ventas", luis, marta)`."""

    def make(idp: Any, name: str, *members: User) -> Group:
        ids = tuple(str(user.pk) for user in members)
        resource = {"displayName": name, "externalId": f"ext-{name}"}
        return groups.create(resource, ids, provider=idp.provider, actor=idp.actor)

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
