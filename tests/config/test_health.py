"""The health checks: for whatever probes them, under whatever Host."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

PROBED = ["127.0.0.1", "10.1.2.3:8000", "[fd00::1]:8000", "node-3.internal", "not a host", ""]


@pytest.mark.parametrize("host", PROBED)
@pytest.mark.parametrize("check", ["live", "ready"])
def test_a_balancer_that_probes_by_address_is_answered(db, check, host):
    response = Client().get(f"/health/{check}", headers={"Host": host})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/entrar/", "/healthy", "/"])
def test_every_other_page_still_refuses_a_foreign_host(db, path):
    assert Client().get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 400


def test_an_unknown_check_is_404(db):
    response = Client().get("/health/nothing", headers={"Host": "10.1.2.3"})
    assert (response.status_code, response.json()) == (404, {"status": "Not Found"})


def test_readiness_waits_for_the_database(db, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("secret-host is away")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", fail)
        response = Client().get("/health/ready")
        assert Client().get("/health/live").status_code == 200
    assert (response.status_code, response.json()["waiting_for"]) == (503, "database")


@pytest.mark.django_db
def test_liveness_asks_nothing_of_the_database_whatever_it_is_sent(django_assert_num_queries):
    client = Client()
    client.cookies["alta_session"] = "a" * 32
    with django_assert_num_queries(0):
        assert client.get("/health/live?x=%00").status_code == 200
