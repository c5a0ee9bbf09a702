"""What an index serves, an index does serve; what none serves is bounded in time."""

import re

import pytest
from django.db import connection

from audit.actors import SYSTEM
from provisioning import pages, queries, statistics
from provisioning.api import listing
from provisioning.models import Group, IndexedValue, Membership, Provider, User
from provisioning.models.users import EMAILS
from provisioning.operations import attributes
from provisioning.scim import filters
from provisioning.scim.schemas import CUSTOM, ENTERPRISE, GROUP, user_type
from provisioning.scim.schemas import CustomAttribute as Defined
from tests.provisioning.api.conftest import Idp

USER = user_type((Defined("badge", "integer"), Defined("site", "string")))
ID = "018f0000-0000-7000-8000-000000000000"
MOMENT = "2026-01-31T08:00:00Z"
SERVED = [
    'userName eq "luis@corp.local"', 'userName sw "luis"', 'externalId eq "7"',
    'externalId sw "7"', 'displayName eq "Luis"', 'displayName sw "Lu"', "active eq false",
    'emails.value eq "luis@corp.local"', 'emails eq "luis@corp.local"', 'emails.value sw "luis"',
    'emails[type eq "work" and value sw "luis"]', 'emails[type eq "work"].value eq "l@x"',
    f'{ENTERPRISE}:department eq "IT"', f'{ENTERPRISE}:department sw "I"',
    f"{CUSTOM}:badge eq 7", f"{CUSTOM}:badge gt 7", f'{CUSTOM}:site sw "M"',
    f'id eq "{ID}"', f'groups.value eq "{ID}"', f'groups eq "{ID}"',
    f'meta.lastModified gt "{MOMENT}"', f'meta.created le "{MOMENT}"',
    'userName eq "a" or externalId eq "b"', 'userName eq "a" and displayName co "b"',
]  # fmt: skip
SERVED_GROUPS = [
    'displayName eq "IT"', 'displayName sw "I"', 'externalId eq "7"', f'members eq "{ID}"',
    f'members.value eq "{ID}"', f'id eq "{ID}" and members eq "{ID}"',
    f'meta.lastModified ge "{MOMENT}"', f'meta.created lt "{MOMENT}"',
]  # fmt: skip
UNSERVED = [
    'userName co "a"', 'userName ne "a"', "displayName pr", 'not (userName eq "a")',
    'name.givenName eq "a"', 'userName eq "a" or displayName co "b"', 'emails.type eq "work"',
]  # fmt: skip


@pytest.fixture
def provider(db):
    """A provider with enough users, and a planner that knows it."""
    okta = Provider.objects.get(kind="okta")
    found = [
        User(provider=okta, user_name=f"u{n}", user_name_key=f"u{n}", external_id=f"x{n}",
             display_name_key=f"d{n}", department_key=f"t{n % 9}")
        for n in range(statistics.WORTH_KNOWING)
    ]  # fmt: skip
    User.objects.bulk_create(found)
    values = [
        IndexedValue(user=user, attribute=attribute, value_key=f"{attribute}{n}", type_key="work")
        for n, user in enumerate(found)
        for attribute in (EMAILS, "custom:badge", "custom:site")
    ]
    IndexedValue.objects.bulk_create(values)
    teams = [Group(provider=okta, display_name_key=f"g{n}") for n in range(200)]
    Group.objects.bulk_create(teams)
    rows = [Membership(group=team, user=user) for team in teams for user in found[:20]]
    Membership.objects.bulk_create(rows)
    assert statistics.refresh() == (connection.vendor == "sqlite")
    return okta


def plan(rows):
    """Return the database's plan, made as if the tables were large."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.explain()


def scans(plan):
    """Return the tables that a plan reads from end to end.

    The page index lists one provider's users: to walk it is to read them all.
    """
    if connection.vendor == "postgresql":
        found = re.findall(r"Seq Scan on (\w+)", plan)
        found += re.findall(r"(?:Index|Bitmap).*Scan (?:on|using) (\w+_page)\b", plan)
    else:
        found = re.findall(r"^SCAN (provisioning_\w+)", plan, re.MULTILINE)
        found += re.findall(r"USING (?:COVERING )?INDEX (\w+_page) \(provider_id=\?\)", plan)
    return found


def test_an_index_leads_to_the_rows_of_every_filter_that_is_served(provider):
    cases = [(USER, text) for text in SERVED] + [(GROUP, text) for text in SERVED_GROUPS]
    for type, text in cases:
        tree = filters.parse(text, type)
        assert queries.is_served(tree)
        if type is USER:
            rows = queries.matching_users(tree, User.objects.visible().filter(provider=provider))
        else:
            rows = queries.matching_groups(tree, Group.objects.filter(provider=provider))
        found = plan(rows)
        assert not scans(found), f"{text}\n{found}"


@pytest.mark.parametrize("text", UNSERVED)
def test_what_no_index_serves_is_known(text):
    assert not queries.is_served(filters.parse(text, USER))


ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
    "SELECT count(*) FROM n"
)


@pytest.fixture
def slow(monkeypatch):
    """Let every page take for ever, and patience be short."""

    def endless(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute(ENDLESS)

    monkeypatch.setattr(pages, "by_index", endless)
    monkeypatch.setattr(pages, "merged", endless)
    monkeypatch.setattr(listing, "MOST_MS", 50)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ['filter=displayName co "a"', "sortBy=name.givenName", 'filter=not (userName eq "a")']
)
@pytest.mark.parametrize("path", ["/Users", "/"])
def test_a_query_that_no_index_serves_is_refused_when_it_takes_too_long(slow, path, query):
    idp = Idp("okta")
    response = idp.get(f"{path}?{query}")
    assert (response.status_code, response.json()["scimType"]) == (400, "tooMany")
    assert idp.get("/ServiceProviderConfig").status_code == 200


@pytest.mark.django_db
def test_custom_attributes_are_sorted_and_found_by_their_own_type():
    attributes.add("badge", "integer", actor=SYSTEM)
    idp = Idp("okta")
    for name, badge in (("a", 10), ("b", 9), ("c", -1)):
        idp.user(name, **{CUSTOM: {"badge": badge}})
    found = idp.get(f"/Users?sortBy={CUSTOM}:badge").json()["Resources"]
    assert [user["userName"] for user in found] == ["c", "b", "a"]
