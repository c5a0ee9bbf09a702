"""The number of queries of each endpoint, for one resource and for fifty alike.

The counts are in tests/query_counts.json: an N+1 shows in review as a changed number.
"""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

PINNED = json.loads((Path(__file__).parents[2] / "query_counts.json").read_text())
# SET LOCAL is PostgreSQL's bound on what no index serves.
TRANSACTION = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET LOCAL")


@pytest.fixture(params=[1, 50])
def scene(request, entra):
    """Users, all in one group; the token's use is fresh, and the worker knows the schema."""
    users = [entra.user(f"u{n}@x", emails=[{"value": f"u{n}@x"}]) for n in range(request.param)]
    group = entra.group("Ventas", *users)
    return entra, users, group


def requests(users, group):
    user, someone = f"/Users/{users[0]['id']}", users[-1]["id"]
    team = f"/Groups/{group['id']}"
    patch = {"Operations": [{"op": "replace", "path": "displayName", "value": "Nuevo"}]}
    leave = {"Operations": [{"op": "remove", "path": f'members[value eq "{someone}"]'}]}
    join = {"Operations": [{"op": "add", "path": "members", "value": [{"value": someone}]}]}
    return {
        "users: GET": ("GET", "/Users?count=500", None),
        "users: GET, filter without a match": ("GET", '/Users?filter=userName eq "nobody"', None),
        "users: GET, sorted by e-mail": ("GET", "/Users?sortBy=emails&count=500", None),
        "users: GET, by cursor": ("GET", "/Users?cursor=&count=500", None),
        "users: POST": ("POST", "/Users", {"userName": "new@x", "emails": [{"value": "new@x"}]}),
        "user: GET": ("GET", user, None),
        "user: GET without groups": ("GET", f"{user}?excludedAttributes=groups", None),
        "user: PUT": ("PUT", user, {"userName": "u0@x", "displayName": "U"}),
        "user: PATCH": ("PATCH", user, patch),
        "user: PATCH that changes nothing": ("PATCH", user, patch),
        "groups: GET": ("GET", "/Groups", None),
        "groups: GET without members": ("GET", "/Groups?excludedAttributes=members", None),
        "groups: POST": ("POST", "/Groups", {"displayName": "Nuevo", "members": []}),
        "group: GET": ("GET", team, None),
        "group: GET without members": ("GET", f"{team}?excludedAttributes=members", None),
        "group: PATCH, one leaves": ("PATCH", team, leave),
        "group: PATCH, one joins": ("PATCH", team, join),
        "group: PUT": ("PUT", team, {"displayName": "Ventas"}),
        "search-users: POST": ("POST", "/Users/.search", {"count": 500}),
        "search-groups: POST": ("POST", "/Groups/.search", {}),
        "search-all: POST": ("POST", "/.search", {"count": 500}),
        "bulk: POST, one user": (
            "POST",
            "/Bulk",
            {"Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"userName": "b@x"}}
            ]},
        ),
        "service-provider-config: GET": ("GET", "/ServiceProviderConfig", None),
        "resource-types: GET": ("GET", "/ResourceTypes", None),
        "schemas: GET": ("GET", "/Schemas", None),
        "not-implemented: GET": ("GET", "/Me", None),
        "nothing: GET": ("GET", "/nothing", None),
        "version: GET": ("GET", "/scim/v1/Users", None),
        "search-all: POST, sorted": ("POST", "/.search", {"count": 500, "sortBy": "displayName"}),
        "user: DELETE": ("DELETE", user, None),
        "group: DELETE": ("DELETE", team, None),
    }  # fmt: skip


def test_each_endpoint_keeps_to_its_number_of_queries(scene):
    entra, users, group = scene
    counted = {}
    for name, (method, path, body) in requests(users, group).items():
        with CaptureQueriesContext(connection) as queries:
            response = entra.request(method, path, body)
        assert response.status_code in (200, 201, 204, 400, 404, 501), response.content
        told = [query for query in queries if not query["sql"].startswith(TRANSACTION)]
        counted[name] = len(told)
    assert counted == PINNED


def test_every_route_has_its_counts():
    mounted = next(p for p in get_resolver().url_patterns if "scim" in str(p.pattern))
    assert {name.partition(":")[0] for name in PINNED} == {p.name for p in mounted.url_patterns}
