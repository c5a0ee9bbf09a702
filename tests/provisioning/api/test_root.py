"""Queries of the service's root, over users and groups together (RFC 7644 §3.4.2.1)."""

from urllib.parse import urlencode

import pytest


@pytest.fixture
def people(entra):
    """Users Zoe, Ana and one without a display name; the groups Ventas, of Ana, and Bajas."""
    entra.user("zoe@corp.local", displayName="Zoe")
    ana = entra.user("ana@corp.local", displayName="Ana", active=False)
    entra.user("nameless@corp.local")
    entra.group("Ventas", ana)
    entra.group("Bajas")


def names(idp, **asked):
    """Return the names that a query of the root finds; the same by GET and by POST."""
    response = idp.get(f"/?{urlencode(asked)}")
    assert response.status_code == 200, response.content
    found = response.json()
    assert idp.post("/.search", asked).json() == found
    assert found["totalResults"] >= len(found["Resources"])
    return [each.get("displayName", "-") for each in found["Resources"]]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ('userName eq "zoe@corp.local" or displayName eq "ventas"', {"Zoe", "Ventas"}),
        ("userName pr", {"Zoe", "Ana", "-"}),
        ("not (userName pr)", {"Ventas", "Bajas"}),
        ("members pr", {"Ventas"}),
        ("not (members pr)", {"Zoe", "Ana", "-", "Bajas"}),
        ("members pr or active eq false", {"Ventas", "Ana"}),
        ("members pr and userName pr", set()),
        ('emails[type eq "work"] or members[value pr]', {"Ventas"}),
        ('meta.resourceType eq "Group" or active eq false', {"Ventas", "Bajas", "Ana"}),
        ('active ne false and meta.resourceType eq "User"', {"Zoe", "-"}),
    ],
)
def test_an_attribute_that_a_type_lacks_has_no_value_at_the_root(entra, people, filter, found):
    assert set(names(entra, filter=filter)) == found


@pytest.mark.parametrize(
    ("by", "ascending"),
    [
        ("displayName", ["Ana", "Bajas", "Ventas", "Zoe", "-"]),
        ("userName", ["Ana", "-", "Zoe", "Ventas", "Bajas"]),
        ("meta.created", ["Zoe", "Ana", "-", "Ventas", "Bajas"]),
    ],
)
def test_the_root_is_sorted_over_both_types(entra, people, by, ascending):
    assert names(entra, sortBy=by) == ascending
    assert names(entra, sortBy=by, sortOrder="descending") == ascending[::-1]
    pages = [names(entra, sortBy=by, startIndex=n, count=2) for n in (1, 3, 5)]
    assert [name for page in pages for name in page] == ascending
