"""The whole life of a leaver, as Entra ID and Okta play it."""

import pytest

from audit.models import Event
from provisioning.models import User

HEX = "3c7d0c0f9f6e4d7d8e9b6a1f2c4d5e6f"


def replace(path, value):
    return {"op": "Replace", "path": path, "value": value}


def leave(idp, user, **also):
    """Disable a user the way Entra does, with whatever else the request says."""
    operations = [replace("active", "False")]
    operations += [replace(path, value) for path, value in also.items()]
    return idp.patch(f"/Users/{user['id']}", *operations)


def test_a_disabled_user_stays_readable_and_findable(entra):
    user = entra.user(externalId="42")
    assert leave(entra, user).json()["active"] is False
    assert entra.find('userName eq "luis@corp.local"')[0]["active"] is False
    assert Event.objects.first().type == "user.deactivated"


def test_a_rename_alone_is_refused_whole(entra):
    user = entra.user(displayName="Luis")
    response = entra.patch(
        f"/Users/{user['id']}", replace("displayName", "Otro"), replace("userName", "otro@x")
    )
    assert response.status_code == 400
    assert response.json()["scimType"] == "mutability"
    again = entra.get(f"/Users/{user['id']}").json()
    assert (again["displayName"], again["meta"]["version"]) == ("Luis", 'W/"1"')


def test_the_same_name_in_any_case_is_accepted(entra):
    user = entra.user()
    response = entra.patch(f"/Users/{user['id']}", replace("userName", "LUIS@Corp.Local"))
    assert response.status_code == 200
    assert response.json()["userName"] == "luis@corp.local"


def test_a_rename_never_blocks_a_deactivation(entra):
    user = entra.user()
    response = leave(entra, user, userName="luis.antiguo@corp.local")
    assert response.status_code == 200
    assert (response.json()["active"], response.json()["userName"]) == (False, "luis@corp.local")
    assert entra.find('userName eq "luis@corp.local"')
    assert Event.objects.first().details["remarks"] == [
        {"remark": "rename_ignored", "value": "luis.antiguo@corp.local"}
    ]


def test_an_unknown_custom_attribute_never_blocks_a_deactivation(entra):
    user = entra.user()
    urn = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User:Unknown"
    refused = entra.patch(f"/Users/{user['id']}", replace(urn, "x"))
    assert refused.status_code == 400
    assert "Atributos" in refused.json()["detail"]
    assert leave(entra, user, **{urn: "x"}).json()["active"] is False


def test_after_a_tombstone_a_newcomer_of_that_name_is_a_new_user(entra):
    leaver = entra.user(externalId="old", displayName="Luis")
    tombstone = leave(entra, leaver, userName=HEX + "luis@corp.local")
    assert tombstone.json()["userName"] == "luis@corp.local"
    assert entra.find('userName eq "luis@corp.local"') == []
    newcomer = entra.user(externalId="new")
    assert newcomer["id"] != leaver["id"]
    assert entra.get(f"/Users/{leaver['id']}").json()["active"] is False
    assert entra.find('userName eq "luis@corp.local"')[0]["id"] == newcomer["id"]


def test_naming_the_name_again_gives_it_back_when_it_is_free(entra):
    user = entra.user()
    leave(entra, user, userName=HEX + "luis@corp.local")
    back = entra.patch(
        f"/Users/{user['id']}", replace("active", "True"), replace("userName", "luis@corp.local")
    )
    assert back.status_code == 200
    assert entra.find('userName eq "luis@corp.local"')[0]["id"] == user["id"]


def test_naming_the_name_again_is_refused_when_a_newcomer_has_it(entra):
    user = entra.user()
    leave(entra, user, userName=HEX + "luis@corp.local")
    entra.user(externalId="new")
    back = entra.patch(
        f"/Users/{user['id']}", replace("active", "True"), replace("userName", "luis@corp.local")
    )
    assert (back.status_code, back.json()["scimType"]) == (409, "uniqueness")
    assert entra.get(f"/Users/{user['id']}").json()["active"] is False


@pytest.mark.parametrize("repeat", ["the same leaver", "a second leaver"])
def test_a_tombstone_that_another_leaver_has_still_deactivates(entra, repeat):
    """Entra ID deletes, restores and deletes one person: the same object id, the same name."""
    first = entra.user(externalId="42")
    leave(entra, first, userName=HEX + "luis@corp.local")
    second = first if repeat == "the same leaver" else entra.user(externalId="42")
    for _ in range(2):  # the IdP repeats itself
        answer = leave(entra, second, userName=HEX + "luis@corp.local")
        assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert entra.user(externalId="42")["id"] not in (first["id"], second["id"])
    assert User.objects.filter(is_active=False).count() == len({first["id"], second["id"]})


@pytest.mark.parametrize("way", ["PUT", "PATCH"])
def test_a_deactivation_that_names_a_name_somebody_else_has_is_done(entra, way):
    user = entra.user()
    leave(entra, user, userName=HEX + "luis@corp.local")
    entra.patch(f"/Users/{user['id']}", replace("active", "True"))
    newcomer = entra.user(externalId="new")
    if way == "PUT":
        wanted = {"userName": "luis@corp.local", "active": False}
        answer = entra.put(f"/Users/{user['id']}", wanted)
    else:
        answer = leave(entra, user, userName="luis@corp.local")
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert Event.objects.first().details["remarks"] == [{"remark": "name_held"}]
    assert entra.find('userName eq "luis@corp.local"')[0]["id"] == newcomer["id"]


@pytest.mark.parametrize("way", ["PUT", "PATCH"])
def test_a_tombstone_longer_than_any_name_still_deactivates(entra, way):
    name = "x" * 250
    user = entra.user(name, displayName="Luis")
    if way == "PUT":
        answer = entra.put(f"/Users/{user['id']}", {"userName": HEX + name, "active": False})
    else:
        answer = leave(entra, user, userName=HEX + name)
    assert answer.status_code == 200
    assert (answer.json()["userName"], answer.json()["active"]) == (name, False)
    refused = entra.put(f"/Users/{user['id']}", {"userName": HEX + name})
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")


def test_giving_a_name_back_is_told_in_the_trail(entra):
    user = entra.user()
    leave(entra, user, userName=HEX + "luis@corp.local")
    entra.patch(f"/Users/{user['id']}", replace("userName", "luis@corp.local"))
    assert Event.objects.first().details["remarks"] == [{"remark": "name_regained"}]


def test_a_deleted_user_is_gone_from_scim_and_kept_in_the_portal(entra):
    user = entra.user()
    group = entra.group("Ventas", user)
    assert entra.delete(f"/Users/{user['id']}").status_code == 204
    for response in (entra.get(f"/Users/{user['id']}"), entra.delete(f"/Users/{user['id']}")):
        assert (response.status_code, response.json()["status"]) == (404, "404")
    assert entra.find('userName eq "luis@corp.local"') == []
    assert entra.members(group) == set()
    assert User.objects.get().is_deleted


def test_a_deleted_user_posted_again_by_its_idp_comes_back_with_its_id(entra):
    user = entra.user(externalId="42", displayName="Luis", active=True)
    group = entra.group("Ventas", user)
    entra.delete(f"/Users/{user['id']}")
    again = entra.user(externalId="42", displayName="Luis García")
    assert again["id"] == user["id"]
    assert (again["displayName"], again["active"]) == ("Luis García", True)
    assert entra.members(group) == set()
    assert Event.objects.first().type == "user.restored"


@pytest.mark.parametrize("external_id", ["43", None])
def test_an_id_is_never_given_to_another_person(entra, external_id):
    user = entra.user(externalId="42")
    entra.delete(f"/Users/{user['id']}")
    attributes = {"externalId": external_id} if external_id else {}
    assert entra.user(**attributes)["id"] != user["id"]


def test_another_idp_never_revives_a_user(entra, okta):
    user = entra.user(externalId="42")
    entra.delete(f"/Users/{user['id']}")
    assert okta.user(externalId="42")["id"] != user["id"]


def test_a_tombstoned_user_is_erased_and_created_again(entra):
    user = entra.user(externalId="42")
    leave(entra, user, userName=HEX + "luis@corp.local")
    assert entra.delete(f"/Users/{user['id']}").status_code == 204
    assert entra.user(externalId="42")["id"] == user["id"]


def test_the_longest_name_that_grows_when_compared_still_takes_a_tombstone(entra):
    """U+33AF is spelt out as six letters: the key is near the end of its column."""
    name = "㎯" * 160
    user = entra.user(name)
    gone = leave(entra, user, userName=HEX + name)
    assert (gone.status_code, gone.json()["active"]) == (200, False)
    assert entra.user(name)["id"] != user["id"]
