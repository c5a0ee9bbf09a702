"""Evaluation of filters: tables, and agreement with a second evaluator written here."""

import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from provisioning.scim import filters
from provisioning.scim.errors import ScimError
from provisioning.scim.filters import And, Comparison, Not, Or, Present, ValuePath
from provisioning.scim.schemas import CUSTOM, ENTERPRISE
from tests.provisioning.scim.strategies import RESOURCES, TREES, USER

LUIS = {
    "id": "1",
    "externalId": "X1",
    "userName": "Luis@example.org",
    "displayName": "Luis Gómez",
    "name": {"givenName": "Luis"},
    "emails": [
        {"value": "luis@example.org", "type": "work", "primary": True},
        {"value": "luis@home.example", "type": "home", "primary": False},
    ],
    "active": False,
    "meta": {"created": "2026-01-31T08:00:00Z"},
    ENTERPRISE: {"department": "IT"},
    CUSTOM: {"badge": 7},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('userName eq "LUIS@EXAMPLE.ORG"', True),
        ('externalId eq "x1"', False),
        ('externalId eq "X1"', True),
        ('displayName eq "luis go\u0301mez"', True),
        ('displayName co "%"', False),
        ('displayName sw "LUIS"', True),
        ('displayName ew "mez"', True),
        ('displayName co ""', True),
        ('name.familyName co ""', False),
        ('emails eq "luis@home.example"', True),
        ('emails ne "luis@home.example"', True),
        ('not (emails eq "luis@home.example")', False),
        ('emails[type eq "work"].value eq "luis@home.example"', False),
        ('emails[type eq "home"].value eq "luis@home.example"', True),
        ('emails.type eq "work" and emails.value eq "luis@home.example"', True),
        ('name.familyName eq "Gómez"', False),
        ('name.familyName ne "Gómez"', True),
        ("name.familyName pr", False),
        ("name pr", True),
        ("groups pr", False),
        ("name.familyName eq null", True),
        ("active eq false", True),
        ("active ne false", False),
        ('active eq "False"', True),
        ('meta.created ge "2026-01-31T09:00:00+01:00"', True),
        ('meta.created gt "2026-01-31T09:00:00+01:00"', False),
        (f'{ENTERPRISE}:department eq "it"', True),
        (f"{CUSTOM}:badge gt 6.5", None),
        (f"{CUSTOM}:badge gt 6", True),
        (f"{CUSTOM}:badge lt 10", True),
        (f"{CUSTOM}:rate ne 1", True),
        (f"{CUSTOM}:rate lt 1", False),
        ('id eq "1" and manager eq "2"', False),
        ('userName eq "x" or userName sw "luis" and active eq true', False),
        ('userName sw "luis" or userName eq "x" and active eq true', True),
    ],
)
def test_luis_meets_a_filter(text, holds):
    if holds is None:
        with pytest.raises(ScimError):
            filters.parse(text, USER)
    else:
        assert filters.evaluate(filters.parse(text, USER), LUIS) is holds


def test_pr_takes_null_blank_and_empty_for_nothing():
    tree = filters.parse("displayName pr or emails pr or name pr or emails.value pr", USER)
    nothing = {"displayName": "", "emails": [], "name": {}}
    assert not filters.evaluate(tree, nothing)
    assert not filters.evaluate(tree, {"displayName": None, "emails": [{}], "name": None})


# The second evaluator: text names instead of paths, lists of facts instead of generators, values
# compared as what they are instead of through keys.


def facts(resource, name):
    urn = next((urn for urn in (ENTERPRISE, CUSTOM) if name.startswith(urn + ":")), None)
    found = [resource.get(urn, {})] if urn else [resource]
    for key in name.removeprefix(f"{urn}:").split("."):
        found = [each[key] for each in found if key in each]
        found = [part for each in found for part in (each if isinstance(each, list) else [each])]
    return [each for each in found if each not in ("", {}) or each is False]


def same(leaf, value):
    match leaf.type:
        case "boolean":
            return bool(value)
        case "integer" | "decimal":
            return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case "dateTime":
            return datetime.fromisoformat(value) if isinstance(value, str) else value
    if leaf.case_exact:
        return value
    for _ in range(4):
        value = unicodedata.normalize("NFKC", value).lower()
    return value


COMPARE = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "co": lambda a, b: b in a,
    "sw": lambda a, b: a[: len(b)] == b,
    "ew": lambda a, b: a[len(a) - len(b) :] == b and len(b) <= len(a),
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def expected(tree, resource, inside=False):
    def found(path):
        return facts(resource, path.sub.name if inside else path.name)

    if isinstance(tree, Not):
        return not expected(tree.term, resource, inside)
    if isinstance(tree, And):
        return not any(not expected(term, resource, inside) for term in tree.terms)
    if isinstance(tree, Or):
        return any(expected(term, resource, inside) for term in tree.terms)
    if isinstance(tree, Present):
        return len(found(tree.path)) > 0
    if isinstance(tree, ValuePath):
        return any(expected(tree.filter, each, True) for each in found(tree.path))
    assert isinstance(tree, Comparison)
    there = found(tree.path)
    if not there:
        return tree.operator == "ne"
    leaf, compare = tree.path.leaf, COMPARE[tree.operator]
    return any(compare(same(leaf, each), same(leaf, tree.value)) for each in there)


@given(TREES, RESOURCES)
def test_the_evaluator_agrees_with_a_second_one(tree, resource):
    assert filters.evaluate(tree, resource) == expected(tree, resource)


def test_the_second_evaluator_knows_time():
    created = {"meta": {"created": datetime(2026, 1, 1, tzinfo=UTC)}}
    tree = filters.parse('meta.created eq "2026-01-01T00:00:00Z"', USER)
    assert expected(tree, created)
    assert filters.evaluate(tree, created)
