"""Servers that are broken on purpose: each fault is named, and the run exits with 1."""

import json

import httpx
import pytest

from tests.portal.simulator.fake_server import BASE, ENTERPRISE, TOKEN, FakeServer

IDPS = ("entra", "okta")


def breaking(server: FakeServer, fault) -> None:
    """Let `fault` change what the server keeps whenever it is written to."""
    write = server.write

    def broken(kind, row, changed):
        write(kind, row, fault(kind, row, changed))

    server.write = broken


def test_a_dropped_member_is_named(simulate, server):
    def drop(kind, row, changed):
        if len(changed.get("members") or []) > 3:
            changed["members"] = changed["members"][1:]
        return changed

    breaking(server, drop)
    result = simulate("entra")
    assert result.code == 1
    assert "members" in result.output
    assert "(missing)" in result.output


@pytest.mark.parametrize("idp", IDPS)
def test_a_swallowed_department_is_named(simulate, server, idp):
    create = server.create
    server.create = lambda kind, body: create(
        kind, {key: value for key, value in body.items() if key != ENTERPRISE}
    )
    result = simulate(idp)
    assert result.code == 1
    assert "department" in result.output
    assert "(nothing)" in result.output


@pytest.mark.parametrize("idp", IDPS)
def test_an_ignored_deactivation_is_named(simulate, server, idp):
    breaking(server, lambda kind, row, changed: changed | {"active": True})
    result = simulate(idp)
    assert result.code == 1
    assert "active" in result.output


def test_a_deleted_user_that_is_still_readable_is_named(simulate, server):
    server.delete = lambda kind, row: None
    result = simulate("entra")
    assert result.code == 1
    assert "404" in result.output


def test_a_disabled_user_that_can_no_longer_be_found_is_named(simulate, server):
    matches = server.matches
    server.matches = lambda row, query: row.get("active", True) and matches(row, query)
    result = simulate("okta")
    assert result.code == 1
    assert "found by filter" in result.output


def test_a_rename_that_is_carried_out_is_named(simulate, server):
    server.renamed = lambda row, changed: changed
    result = simulate("entra")
    assert result.code == 1
    assert "rename: status" in result.output


def test_members_shown_although_excluded_are_named(simulate, server):
    shown = server.shown
    server.shown = lambda kind, row, query: shown(kind, row, {})
    result = simulate("entra")
    assert result.code == 1
    assert "excludedAttributes=members" in result.output


def test_a_password_in_the_answer_is_named_but_not_shown(simulate, server):
    sent = []

    def echo(request, response):
        if request.method == "POST" and b"password" in request.content:
            body = json.loads(request.content)
            sent.append(body["password"])
            return httpx.Response(201, json=response.json() | {"password": body["password"]})
        return response

    server.spoil = echo
    result = simulate("okta")
    assert result.code == 1
    assert "password in the answer" in result.output
    assert not any(secret in result.output for secret in sent)


def test_a_failing_request_is_named_with_its_status(simulate, server):
    def fail(request, response):
        return httpx.Response(500) if request.method == "PATCH" else response

    server.spoil = fail
    result = simulate("entra")
    assert result.code == 1
    assert "500" in result.output


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(
            httpx.Response(200, headers={"Content-Type": "text/html"}, text="<html>"),
            "does not look like a SCIM base URL",
            id="a page",
        ),
        pytest.param(httpx.Response(404), "does not look like a SCIM base URL", id="nothing there"),
        pytest.param(
            httpx.Response(302, headers={"Location": "/login"}),
            "does not look like a SCIM base URL",
            id="a redirect",
        ),
        pytest.param(httpx.Response(503), "failed at once: 503", id="paused"),
        pytest.param(httpx.Response(401), "refused the token (401)", id="refused"),
    ],
)
def test_what_is_no_scim_server_is_said_in_one_sentence(simulate, answer, sentence):
    result = simulate("entra", transport=httpx.MockTransport(lambda request: answer))
    assert result.code == 1
    assert sentence in result.errors
    assert TOKEN not in result.errors + result.output


def test_a_server_that_cannot_be_reached_is_said_in_one_sentence(simulate):
    def refuse(request):
        raise httpx.ConnectError("Connection refused")

    result = simulate("okta", transport=httpx.MockTransport(refuse))
    assert result.code == 1
    assert f"{BASE} cannot be reached: Connection refused." in result.errors


def test_an_answer_that_never_comes_is_a_mismatch_and_the_run_goes_on(simulate, server):
    def stall(request):
        if request.method == "PATCH":
            raise httpx.ReadTimeout("slow")
        return server(request)

    result = simulate("entra", transport=httpx.MockTransport(stall))
    assert result.code == 1
    assert "no answer within 60 s" in result.output


def test_a_token_that_a_server_echoes_is_not_shown(simulate, server):
    server.spoil = lambda request, response: (
        httpx.Response(500, json={"detail": f"bad {request.headers['Authorization']}"})
        if request.method == "PATCH"
        else response
    )
    result = simulate("entra")
    assert "[token]" in result.output
    assert TOKEN not in result.errors + result.output
