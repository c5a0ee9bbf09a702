"""Whole runs against a server that behaves."""

import json

import httpx
import pytest

from tests.portal.simulator.fake_server import TOKEN

IDPS = ("entra", "okta")


@pytest.mark.parametrize("idp", IDPS)
def test_a_server_that_keeps_everything_passes(simulate, idp):
    result = simulate(idp)
    assert result.code == 0, result.output
    assert "0 mismatches" in result.output


@pytest.mark.parametrize("idp", IDPS)
@pytest.mark.parametrize("users", [0, 1, 2, 5])
def test_even_a_very_small_company_can_be_simulated(simulate, idp, users):
    result = simulate(idp, users=users, groups=1)
    assert result.code == 0, result.output


@pytest.mark.parametrize("idp", IDPS)
def test_a_second_run_of_a_seed_matches_and_updates(simulate, server, idp):
    simulate(idp)
    before = len(server.rows["Users"])
    server.requests.clear()
    assert simulate(idp).code == 0
    created = [path for method, path, _ in server.requests if method == "POST" and "Users" in path]
    assert len(created) < 5, "only leavers, newcomers and a duplicate on purpose"
    assert len(server.rows["Users"]) - before <= 1


@pytest.mark.parametrize("idp", IDPS)
def test_a_run_of_another_seed_collides_with_nobody(simulate, idp):
    assert simulate(idp, seed="one").code == 0
    assert simulate(idp, seed="two").code == 0


def test_the_same_seed_makes_the_same_requests(simulate, server):
    simulate("entra", seed="again")
    first = list(server.requests)
    server.__init__()
    simulate("entra", seed="again")
    assert server.requests == first


@pytest.mark.parametrize("idp", IDPS)
def test_most_people_and_groups_are_left_for_the_portal_to_show(simulate, server, idp):
    simulate(idp)
    assert len(server.rows["Users"]) >= 28
    assert len(server.rows["Groups"]) == 2
    states = [row["active"] for row in server.rows["Users"].values()]
    assert states.count(True) > 20
    assert states.count(False) >= 1


def test_entra_speaks_both_dialects(simulate, server):
    simulate("entra")
    bodies = "".join(body for _, _, body in server.requests)
    assert '"value": "False"' in bodies
    assert '"value": false' in bodies
    assert '"op": "Remove", "path": "members"' in bodies
    assert '"path": "members[value eq' in bodies


def test_okta_speaks_both_styles_and_never_deletes_a_user(simulate, server):
    simulate("okta")
    assert {method for method, _, _ in server.requests} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert not [
        path for method, path, _ in server.requests if method == "DELETE" and "Users" in path
    ]
    assert any('"value": {"active": false}' in body for _, _, body in server.requests)


def test_several_workers_find_the_same(simulate, server):
    assert simulate("entra", workers=4).code == 0
    assert simulate("okta", workers=4).code == 0


def test_a_busy_server_is_waited_for(simulate, server):
    waits = []

    def busy_at_first(request):
        if request.method == "POST" and len(waits) < 3:
            return httpx.Response(429, headers={"Retry-After": "7"})
        return server(request)

    result = simulate("okta", sleep=waits.append, transport=httpx.MockTransport(busy_at_first))
    assert result.code == 0, result.output
    assert waits == [7, 7, 7]
    assert "3 retries" in result.output


def test_a_dropped_keep_alive_connection_is_opened_again(simulate, server):
    dropped = []

    def drop_once(request):
        if len(server.requests) == 10 and not dropped:
            dropped.append(request)
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return server(request)

    assert simulate("entra", transport=httpx.MockTransport(drop_once)).code == 0
    assert dropped


def test_the_summary_is_written_as_json(simulate, tmp_path):
    file = tmp_path / "summary.json"
    simulate("entra", json_file=file)
    summary = json.loads(file.read_text(encoding="utf-8"))
    assert summary["mismatch_count"] == 0
    assert summary["requests"] == sum(kind["requests"] for kind in summary["kinds"].values())
    assert set(summary["latency_ms"]) == {"p50", "p90", "p99", "max"}
    assert TOKEN not in file.read_text(encoding="utf-8")
