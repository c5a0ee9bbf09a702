"""What every test shares: the cast, the SCIM client, the database's plumbing, a closed network."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, TransactionTestCase

from audit import append_only
from audit.actors import Actor
from audit.jobs import standing
from portal import installation, roles
from portal.models import Account
from provisioning.log.buffer import LOG, Buffer
from provisioning.models import Provider, Token
from provisioning.operations import tokens
from provisioning.reconciliation import directory
from provisioning.reconciliation.comparing import Result

DATA = Path(__file__).parent / "data"
SCIM = "/scim/v2"
SCIM_TYPE = "application/scim+json"
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}
MAKER = Actor("system", "tests", "Tests")


# The database ---------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the second database run only what meets a database."""
    parser.addoption("--database-only", action="store_true", help="only tests that use a database")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare messages and static files as a start of Alta does, once for all processes."""
    if not hasattr(config, "workerinput"):
        installation.compile_messages()
        installation.collect_static()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that this run's database cannot hold."""
    other = "postgresql" if connection.vendor == "sqlite" else "sqlite"
    only = config.getoption("--database-only")

    def belongs(item: pytest.Item) -> bool:
        if item.get_closest_marker(other):
            return False
        uses = DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
        return not only or bool(uses or item.get_closest_marker("django_db"))

    left_out = [item for item in items if not belongs(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if belongs(item)]


_fixture_teardown = TransactionTestCase._fixture_teardown


def _empty_tables(self: TransactionTestCase) -> None:
    """Empty the tables after a transactional test: the one time that events may be deleted."""
    with append_only.lifted(connection):
        _fixture_teardown(self)


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]


# The network ----------------------------------------------------------------------------------

_connect = socket.socket.connect


def _connect_here(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and self.type == socket.SOCK_STREAM:
        host = str(address[0])
        if not (host.startswith("127.") or host in ("localhost", "::1")):
            raise RuntimeError(f"a test tried to reach {host}")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    socket.socket.connect = _connect_here  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = _connect  # type: ignore[method-assign]


# The provisioning log -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _log_written_by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the log when a test says so, `LOG.flush()`, on the connection of the test."""
    monkeypatch.setattr(Buffer, "is_threaded", False)
    LOG.reset()
    yield
    LOG.reset()


# Reconciliation -------------------------------------------------------------------------------

RECONCILED = ("provisioning/api", "provisioning/operations", "portal")


@pytest.fixture(autouse=True)
def _reconciled(request: pytest.FixtureRequest) -> Iterator[None]:
    """End each test of what writes with the proof that every row follows from its events.

    Tests that write rows by other means say so: `pytestmark = pytest.mark.unreconciled`.
    """
    node: Any = request.node
    place = node.path.relative_to(Path(__file__).parent).as_posix()
    uses_database = node.get_closest_marker("django_db") or DATABASE_FIXTURES & {
        *request.fixturenames
    }
    if (
        not uses_database
        or not place.startswith(RECONCILED)
        or node.get_closest_marker("unreconciled")
    ):
        yield
        return
    request.getfixturevalue("_django_db_helper")  # so that this ends before the database does
    yield
    result = Result()
    directory.reconcile(result)
    assert not result.discrepancies


@pytest.fixture(autouse=True)
def _just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Miss no scheduler, however long the tests run."""
    monkeypatch.setattr(standing, "STARTED", float("inf"))


# The cast -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person(Actor):
    """Somebody with a portal account: an actor for operations, `account` for pages."""

    account: Account = field(kw_only=True)


@dataclass(frozen=True)
class Idp:
    """An identity provider with a token of its own."""

    provider: Provider
    token: Token
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that lets it in, as Django's test client takes headers."""
        return {"Authorization": f"Bearer {self.secret}"}

    @property
    def actor(self) -> Actor:
        """The IdP's token as the actor of operations."""
        return Actor("token", str(self.token.pk), self.token.name, self.provider.for_audit())


def make_person(name: str, role: str) -> Person:
    """Make an account without a usable password, which spares its costly hash: see `sign_in`."""
    account = Account(username=name, email=f"{name}@example.com")
    account.set_unusable_password()
    account.save()
    account.groups.add(roles.Group.objects.get(name=role))
    return Person("administrator", str(account.pk), name, account=account)


def make_idp(key: str) -> Idp:
    """Generate a token for an identity provider."""
    provider = Provider.objects.get(key=key)
    issued = tokens.generate(provider, actor=MAKER)
    return Idp(provider, issued.token, issued.secret)


@pytest.fixture
def ana(db: None) -> Person:
    """An administrator."""
    return make_person("ana", roles.ADMINISTRATOR)


@pytest.fixture
def eva(db: None) -> Person:
    """An auditor: she reads everything and changes nothing."""
    return make_person("eva", roles.AUDITOR)


@pytest.fixture
def entra(db: None) -> Idp:
    """Entra ID with a token."""
    return make_idp("entra-id")


@pytest.fixture
def okta(db: None) -> Idp:
    """Okta with a token: the other IdP, which sees nothing of Entra's."""
    return make_idp("okta")


# Clients --------------------------------------------------------------------------------------


class ScimClient:
    """Speaks SCIM with a token: paths from the base, bodies as Python values."""

    def __init__(self, secret: str | None) -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def using(self, secret: str | None) -> "ScimClient":
        """Return a client with another token, or none."""
        return ScimClient(secret)

    def request(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """Send a request; `body` is encoded as JSON unless it is bytes."""
        url = path if path.startswith("/scim") else SCIM + path
        sent = dict(headers or {})
        if self.secret is not None:
            sent.setdefault("Authorization", f"Bearer {self.secret}")
        content_type = sent.pop("Content-Type", SCIM_TYPE)
        if body is None:
            return self.client.generic(method, url, headers=sent)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, url, raw, content_type=content_type, headers=sent)

    def get(self, path: str, **more: Any) -> HttpResponse:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        """POST."""
        return self.request("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        """PUT."""
        return self.request("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> HttpResponse:
        """PATCH."""
        return self.request("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> HttpResponse:
        """DELETE."""
        return self.request("DELETE", path, **more)


@pytest.fixture
def scim(entra: Idp) -> ScimClient:
    """A SCIM client with Entra's token; `scim.using(okta.secret)` is the other IdP's."""
    return ScimClient(entra.secret)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], dict[str, Any]]:
    """Load a recorded request: `recorded("entra/disable_user")`; tests/data/README.md explains."""

    def load(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
        return found

    return load


@pytest.fixture
def admin_page(ana: Person) -> Client:
    """A browser in which Ana, an administrator, has signed in."""
    return sign_in(ana)


@pytest.fixture
def auditor_page(eva: Person) -> Client:
    """A browser in which Eva, an auditor, has signed in."""
    return sign_in(eva)


def sign_in(person: Person) -> Client:
    """Return a client that is signed in."""
    client = Client()
    client.force_login(person.account, backend="django.contrib.auth.backends.ModelBackend")
    return client
