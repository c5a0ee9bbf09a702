"""Two IdPs are strictly apart in every verb, filter, member reference and total."""

import pytest

from portal.models import Account
from provisioning.models import Group, User


@pytest.fixture
def luis(entra):
    return entra.user(displayName="Luis", emails=[{"value": "luis@corp.local", "type": "work"}])


@pytest.fixture
def ventas(entra, luis):
    return entra.group("Ventas", luis)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_the_others_ids_are_404_and_no_row_changes(okta, luis, ventas, method, kind):
    row = luis if kind == "Users" else ventas
    bodies = {
        "PUT": {"userName": "luis@corp.local", "displayName": "robado"},
        "PATCH": {"Operations": [{"op": "replace", "path": "displayName", "value": "robado"}]},
    }
    before = [*User.objects.values(), *Group.objects.values()]
    response = okta.request(method, f"/{kind}/{row['id']}", bodies.get(method))
    assert response.status_code == 404
    assert [*User.objects.values(), *Group.objects.values()] == before


@pytest.mark.parametrize(
    "filter",
    [
        'userName eq "luis@corp.local"', 'userName eq "x" or displayName eq "Luis"',
        'not (userName eq "x")', "userName pr", 'id eq "{id}"', 'id ne "x"',
        'emails.value eq "luis@corp.local"', 'emails[type eq "work"]', 'active eq true or id pr',
        'groups.value eq "{group}"', 'groups pr', 'meta.created gt "2000-01-01T00:00:00Z"',
    ],
)  # fmt: skip
def test_no_filter_reaches_the_others_users(entra, okta, luis, ventas, filter):
    filter = filter.replace("{id}", luis["id"]).replace("{group}", ventas["id"])
    assert [user["id"] for user in entra.find(filter)] == [luis["id"]]
    assert okta.find(filter) == []


def test_totals_count_only_ones_own(okta, luis, ventas):
    for kind in ("Users", "Groups"):
        assert okta.get(f"/{kind}?count=0").json()["totalResults"] == 0


def test_the_others_users_cannot_become_members(okta, luis):
    refused = okta.post("/Groups", {"displayName": "G", "members": [{"value": luis["id"]}]})
    assert refused.status_code == 400
    assert luis["id"] in refused.json()["detail"]
    group = okta.group("G")
    add = {"op": "add", "path": "members", "value": [{"value": luis["id"]}]}
    assert okta.patch(f"/Groups/{group['id']}", add).status_code == 400
    assert okta.members(group) == set()


def test_a_name_held_by_another_idp_is_409_and_says_so(okta, luis):
    response = okta.post("/Users", {"userName": "LUIS@corp.local"})
    assert (response.status_code, response.json()["scimType"]) == (409, "uniqueness")
    assert "identity provider" in response.json()["detail"]


def test_group_names_are_unique_for_each_idp(okta, ventas, entra):
    assert okta.group("VENTAS")
    clash = entra.post("/Groups", {"displayName": "VENTAS"})
    assert (clash.status_code, clash.json()["scimType"]) == (409, "uniqueness")


def test_an_administrators_name_makes_a_harmless_directory_user(entra, ana):
    before = list(Account.objects.values())
    user = entra.user(ana.label, externalId=ana.id, active=False, roles=["administrator"])
    entra.group("administrator", user)
    entra.patch(f"/Users/{user['id']}", {"op": "add", "value": {"is_superuser": True}})
    entra.delete(f"/Users/{user['id']}")
    assert list(Account.objects.values()) == before


def test_external_id_1_is_only_a_text(entra):
    user = entra.user(externalId="1")
    assert entra.find('externalId eq "1"')[0]["id"] == user["id"]
    refused = entra.get("/Users?filter=externalId eq 1")
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")
