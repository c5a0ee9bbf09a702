"""Who is let in: one bearer token, looked up on every request; every refusal is the same."""

from contextlib import closing
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.db import DataError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone, translation
from rest_framework.exceptions import Throttled

from audit.actors import SYSTEM, Origin
from audit.models import Event
from audit.presentation import Shown
from provisioning import secrets
from provisioning.api import throttling
from provisioning.models import AuthenticationFailure, Token, TokenSecret
from provisioning.operations import access, tokens
from tests.provisioning.api.conftest import Idp

ROUTES = [
    "/scim/v2/Users", "/scim/v2/Users/", "/scim/v2/Users/0", "/scim/v2/Groups", "/scim/v2/Groups/0",
    "/scim/v2/ServiceProviderConfig", "/scim/v2/ResourceTypes", "/scim/v2/ResourceTypes/User",
    "/scim/v2/Schemas", "/scim/v2/Schemas/x", "/scim/v2/Me", "/scim/v2/Bulk", "/scim/v2/.search",
    "/scim/v2/Users/.search", "/scim/v2/Groups/.search", "/scim", "/scim/", "/scim/v2",
    "/scim/v1/Users", "/scim/v2/nothing",
    "//scim/v2/Users", "/scim//v2/Users", "/scim/v2//Users", "/scim/v2/%55sers", "/%73cim/v2/Users",
    "/scim/v2/Users%2F0", "/scim/v2/Users;x=1", "/scim/v2/./Users", "/scim/v2/../v2/Users",
    "/scim/v2/Users?access_token=x", "/scim/v2/x%0ay", "/scim%0a/v2/Users", "/scim;x/v2/Users",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", METHODS)
def test_every_route_asks_for_a_token(route, method, monkeypatch):
    monkeypatch.setattr(access, "MOST_FAILURES_A_MINUTE", 10_000)
    # As the server hands it over: the client would take the first of two slashes for a host.
    path, _, query = route.partition("?")
    response = Client().generic(method, "/", PATH_INFO=unquote(path), QUERY_STRING=query)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/scim+json"
    if method != "HEAD":
        assert response.json()["status"] == "401"
        assert response.json()["detail"]


def test_each_route_of_the_urlconf_is_among_those_tried():
    """A new route must be added to ROUTES: this fails until it is."""
    mounted = next(p for p in get_resolver().url_patterns if "scim" in str(p.pattern))
    names = {pattern.name for pattern in mounted.url_patterns}
    assert names == {
        "users", "user", "groups", "group", "service-provider-config", "resource-types", "schemas",
        "not-implemented", "nothing", "version", "bulk", "search-all", "search-users",
        "search-groups",
    }  # fmt: skip


def test_the_stock_urls_of_django_scim2_are_not_mounted():
    modules = set()

    def walk(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns)
            else:
                view = getattr(pattern.callback, "view_class", pattern.callback)
                modules.add(view.__module__)

    walk(get_resolver().url_patterns)
    assert not [module for module in modules if module.startswith("django_scim")]


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "bearer {secret} {secret}",
        'Bearer "{secret}"', "Bearer {secret}x", "Bearer {secret},Bearer {secret}", "{secret}",
        "Token {secret}", "Bearer {secret} ", " Bearer {secret}", "Bearer\t{secret}",
        "Bearer ñ{secret}", "Bearer " + "a" * 100_000, "Bearer {SECRET}",
    ],
)  # fmt: skip
def test_anything_but_one_right_header_is_refused_alike(entra, header):
    header = header.replace("{secret}", entra.secret).replace("{SECRET}", entra.secret.upper())
    refused = Client().get("/scim/v2/Users", headers={"Authorization": header})
    absent = Client().get("/scim/v2/Users")
    assert refused.status_code == 401
    assert refused.content == absent.content


def test_the_scheme_may_come_in_any_case(entra):
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {entra.secret}"}
        assert Client().get("/scim/v2/Users", headers=headers).status_code == 200


def test_a_token_elsewhere_than_in_the_header_is_worth_nothing(entra):
    client = Client()
    client.cookies["access_token"] = entra.secret
    path = f"/scim/v2/Users?access_token={entra.secret}&token={entra.secret}"
    assert client.get(path).status_code == 401


def test_a_malformed_token_costs_no_look_up(entra):
    with CaptureQueriesContext(connection) as queries:
        Client().get("/scim/v2/Users", headers=bearer("alta_scim_" + "a" * 49))
    assert not [query for query in queries if "tokensecret" in query["sql"]]


def test_an_inactive_token_is_refused_on_the_next_request_and_an_active_one_let_in(entra):
    assert entra.get("/Users").status_code == 200
    tokens.deactivate(entra.token.pk, actor=SYSTEM)
    assert entra.get("/Users").status_code == 401
    tokens.activate(entra.token.pk, actor=SYSTEM)
    assert entra.get("/Users").status_code == 200


@pytest.mark.unreconciled
@pytest.mark.parametrize("end", ["removed", "expired", "renewed"])
def test_a_token_at_its_end_is_refused(entra, end):
    if end == "removed":
        tokens.remove(entra.token.pk, actor=SYSTEM)
    elif end == "renewed":
        tokens.renew(entra.token.pk, actor=SYSTEM)
    else:
        Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert entra.get("/Users").status_code == 401


def test_both_secrets_work_during_an_overlap_and_only_the_new_one_after_it(entra):
    renewed = tokens.renew(entra.token.pk, actor=SYSTEM, overlap_h=1)
    for secret in (entra.secret, renewed.secret):
        assert Client().get("/scim/v2/Users", headers=bearer(secret)).status_code == 200
    past = timezone.now() - timedelta(seconds=1)
    TokenSecret.objects.filter(is_current=False).update(ends_at=past)
    assert entra.get("/Users").status_code == 401
    assert Client().get("/scim/v2/Users", headers=bearer(renewed.secret)).status_code == 200


def test_a_key_that_is_no_longer_first_still_serves_and_use_moves_to_the_first(entra, settings):
    first = settings.TOKEN_PEPPERS
    settings.TOKEN_PEPPERS = {"k2": b"x" * 32, **first}
    assert entra.get("/Users").status_code == 200
    assert TokenSecret.objects.get().key_id == "k2"
    settings.TOKEN_PEPPERS = {"k2": b"x" * 32}
    assert entra.get("/Users").status_code == 200


def test_last_use_is_kept_once_a_minute_with_its_origin(entra):
    entra.get("/Users", **{"User-Agent": "Okta SCIM Client 1.0.0"})
    token = Token.objects.get()
    assert token.last_used_ip == "127.0.0.1"
    assert token.last_used_agent == "Okta SCIM Client 1.0.0"
    with CaptureQueriesContext(connection) as queries:
        entra.get("/Users")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


def test_failures_of_one_address_turn_to_429_and_a_valid_token_is_never_throttled(entra):
    wrong = bearer(secrets.new_secret())
    with time_machine.travel(timezone.now().replace(second=30), tick=False):  # within one minute
        statuses = [Client().get("/scim/v2/Users", headers=wrong).status_code for _ in range(40)]
        throttled = Client().get("/scim/v2/Users", headers=wrong)
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert throttled["Retry-After"].isdecimal()
    assert entra.get("/Users").status_code == 200


def test_failures_reach_the_trail_once_an_address_and_minute(entra):
    for _ in range(3):
        Client().get("/scim/v2/Users", headers={"X-Forwarded-For": "203.0.113.9"})
    assert access.record_failures() == 0  # the minute is not over
    AuthenticationFailure.objects.update(minute=timezone.now() - timedelta(minutes=2))
    assert (access.record_failures(), access.record_failures()) == (1, 0)
    event = Event.objects.get(type="authentication.failed")
    assert event.details["requests"] == 3
    assert event.ip_address == "127.0.0.1"  # no proxy is trusted: the header is a claim
    assert event.outcome == "failure"


def test_a_portal_session_is_worth_nothing_here(admin_page):
    assert admin_page.get("/scim/v2/Users").status_code == 401


def test_method_override_headers_change_nothing(entra):
    user = entra.user()
    entra.request("GET", f"/Users/{user['id']}", **{"X-HTTP-Method-Override": "DELETE"})
    assert entra.get(f"/Users/{user['id']}").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_token_is_let_in_while_others_keep_the_database_from_noting_it(entra, settings):
    settings.TOKEN_PEPPERS = {"k2": b"x" * 32, **settings.TOKEN_PEPPERS}
    busy = connection.copy()
    try:
        with busy.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
            cursor.execute("UPDATE provisioning_token SET name = name")
            cursor.execute("UPDATE provisioning_tokensecret SET hint = hint")
            assert entra.get("/Users").status_code == 200
            assert Token.objects.get().last_used_at is None
            cursor.execute("ROLLBACK")
    finally:
        busy.close()
    assert entra.get("/Users").status_code == 200
    assert Token.objects.get().last_used_at is not None
    assert TokenSecret.objects.get().key_id == "k2"


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_refusal_does_not_wait_for_the_database(entra):
    busy = connection.copy()
    try:
        with busy.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            assert Client().get("/scim/v2/Users").status_code == 401
    finally:
        busy.close()


def refused_from(address, times=1):
    for _ in range(times):
        access.note_failures(Origin(ip_address=address), 1)


def test_many_addresses_do_not_flood_the_trail(db):
    refused_from("198.51.100.7", 3)
    for n in range(99):
        refused_from(f"203.0.113.{n}")
    AuthenticationFailure.objects.update(minute=timezone.now() - timedelta(minutes=2))
    assert access.record_failures() == access.MOST_EVENTS_A_MINUTE + 1
    assert not AuthenticationFailure.objects.exists()
    events = Event.objects.filter(type="authentication.failed").order_by("id")
    assert (events[0].ip_address, events[0].details["requests"]) == ("198.51.100.7", 3)
    others = events.last()
    assert others.ip_address is None
    assert others.details["addresses"] == others.details["requests"] == 80
    assert sum(event.details["requests"] for event in events) == 102
    with translation.override("es"):
        assert "Otras direcciones" in [str(detail.label) for detail in Shown(others).details]


def test_addresses_of_one_ipv6_network_count_as_one(db):
    for n in range(access.MOST_FAILURES_A_MINUTE):
        refused_from(f"2001:db8:1:2:{n:x}::1")
    with pytest.raises(Throttled):
        throttling.refuse(Origin(ip_address="2001:db8:1:2:ffff::1"))
    AuthenticationFailure.objects.update(minute=timezone.now() - timedelta(minutes=2))
    assert access.record_failures() == 1
    event = Event.objects.get(type="authentication.failed")
    assert event.ip_address == "2001:db8:1:2::"
    assert event.details["network"] == "2001:db8:1:2::/64"


def test_a_value_that_the_database_cannot_hold_is_400(entra, monkeypatch):
    def fail(*args, **kwargs):
        raise DataError("value too long for type character varying(255)")

    monkeypatch.setattr("provisioning.operations.users.create", fail)
    response = entra.post("/Users", {"userName": "luis@corp.local"})
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_two_requests_costs_no_request(transactional_db):
    entra = Idp("entra-id")
    assert entra.get("/Users").status_code == 200
    process = connection.connection.info.backend_pid
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    assert entra.get("/Users").status_code == 200
    assert connection.connection.info.backend_pid != process


def test_a_failing_look_up_is_not_tried_twice_on_a_healthy_connection(entra, monkeypatch):
    calls = []

    def fail(digests):
        calls.append(digests)
        raise OperationalError("out of shared memory")

    monkeypatch.setattr("provisioning.api.authentication.recognise", fail)
    assert entra.get("/Users").status_code == 503
    assert len(calls) == 1
