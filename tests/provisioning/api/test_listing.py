"""Lists over HTTP: pages, totals and filters; a filter that is wrong is never an empty answer."""

import pytest
from django.test import Client
from django.utils.http import urlencode

from audit.actors import SYSTEM
from provisioning import memberships
from provisioning.models import User
from provisioning.operations import attributes

CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NAMES = [f"u{n}@corp.local" for n in range(7)]


@pytest.fixture
def seven(entra):
    return [entra.user(name) for name in NAMES]


def page(idp, query, kind="Users"):
    response = idp.get(f"/{kind}?{query}")
    assert response.status_code == 200, response.content
    found = response.json()
    assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert found["itemsPerPage"] == len(found["Resources"])
    return found


def refusal(idp, filter, kind="Users"):
    """Return status and scimType of what must not be a list."""
    response = idp.get(f"/{kind}?{urlencode({'filter': filter})}")
    assert response["Content-Type"] == "application/scim+json"
    body = response.json()
    assert "Resources" not in body
    assert body["status"] == str(response.status_code)
    return response.status_code, body["scimType"]


# Pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "start", "found"),
    [
        ("", 1, range(7)),
        ("startIndex=1", 1, range(7)),
        ("startIndex=3&count=2", 3, [2, 3]),
        ("startIndex=0&count=2", 1, [0, 1]),
        ("startIndex=-5&count=2", 1, [0, 1]),
        ("startIndex=-99999999999999999999999&count=2", 1, [0, 1]),
        ("startIndex=7", 7, [6]),
        ("startIndex=8", 8, []),
        ("startIndex=100", 100, []),
        ("startIndex=99999999999999999999999", None, []),
        ("count=0", 1, []),
        ("count=-1", 1, []),
        ("count=0&startIndex=3", 3, []),
        ("count=7", 1, range(7)),
        ("count=8", 1, range(7)),
        ("count=99999999999999999999999", 1, range(7)),
        ("startindex=2&COUNT=1", 2, [1]),
        ("startIndex=002&count=01", 2, [1]),
        ("unknown=1&filterBy=x&aadOptscim062020", 1, range(7)),
        ("&&", 1, range(7)),
        ("?", 1, range(7)),
        ("count=2&", 1, [0, 1]),
    ],
)  # fmt: skip
def test_a_page_holds_what_it_should_and_the_total_is_exact(entra, seven, query, start, found):
    answer = page(entra, query)
    assert answer["totalResults"] == 7
    assert [user["userName"] for user in answer["Resources"]] == [NAMES[n] for n in found]
    if start is not None:
        assert answer["startIndex"] == start


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize(
    "value",
    ["x", "", "1.0", "1e3", "0x1", " 1", "%201", "1;2", "٣", "２", "NaN", "--1", "+1", "null"],
)
def test_what_is_not_a_whole_number_is_refused(entra, kind, name, value):
    response = entra.get(f"/{kind}?{name}={value}")
    assert (response.status_code, response.json()["scimType"]) == (400, "invalidValue")
    assert name in response.json()["detail"]


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize("query", ["", "filter=displayName%20eq%20%22x%22", "count=0"])
def test_an_empty_list_is_200_with_resources(entra, kind, query):
    answer = page(entra, query, kind)
    assert (answer["totalResults"], answer["Resources"]) == (0, [])


def test_the_pages_together_are_the_whole_in_order_of_creation(entra, seven):
    for size in (1, 2, 3, 7):
        together = [
            user["id"]
            for start in range(1, 8, size)
            for user in page(entra, f"startIndex={start}&count={size}")["Resources"]
        ]
        assert together == [user["id"] for user in seven]


def test_a_change_moves_nobody_to_another_page(entra, seven):
    operation = {"op": "add", "path": "displayName", "value": "x"}
    entra.patch(f"/Users/{seven[1]['id']}", operation)
    assert page(entra, "startIndex=2&count=1")["Resources"][0]["id"] == seven[1]["id"]


@pytest.mark.unreconciled
def test_a_page_has_at_most_500_and_100_unless_asked(entra):
    User.objects.bulk_create(
        User(provider=entra.provider, user_name=f"n{n}", user_name_key=f"n{n}") for n in range(501)
    )
    for query, size in (("", 100), ("count=500", 500), ("count=501", 500), ("count=9999999", 500)):
        answer = page(entra, query)
        assert (answer["itemsPerPage"], answer["totalResults"]) == (size, 501)
    assert page(entra, "startIndex=501")["itemsPerPage"] == 1


def test_deleted_users_are_neither_listed_nor_counted(entra, seven):
    entra.delete(f"/Users/{seven[3]['id']}")
    answer = page(entra, "")
    assert answer["totalResults"] == 6
    assert seven[3]["id"] not in str(answer)


def test_totals_of_a_filtered_page_count_all_that_match(entra, seven):
    for start in (1, 3, 9):
        query = urlencode({"filter": 'userName sw "u"', "count": 2, "startIndex": start})
        assert page(entra, query)["totalResults"] == 7


def test_an_address_with_a_slash_or_a_question_mark_at_its_end_is_the_same(entra, seven):
    for path in ("/Users/", "/Users?", "/Users/?count=100", "/Users?filter=userName%20pr&"):
        assert entra.get(path).json()["totalResults"] == 7
    assert entra.get(f"/Users/{seven[0]['id']}/?").status_code == 200


def test_the_members_of_a_list_of_groups_come_unless_excluded(entra, seven):
    entra.group("Ventas", *seven[:2])
    assert len(page(entra, "", "Groups")["Resources"][0]["members"]) == 2
    assert "members" not in page(entra, "excludedAttributes=members", "Groups")["Resources"][0]


def test_more_parameters_than_the_server_reads_are_a_scim_error(entra):
    response = entra.get("/Users?" + "&".join(f"a{n}=1" for n in range(2_000)))
    assert (response.status_code, response["Content-Type"]) == (400, "application/scim+json")


# Filters ----------------------------------------------------------------------------------------

PEOPLE = {
    "ana@corp.local": {
        "displayName": "Ana 100%",
        "externalId": "A1",
        "name": {"givenName": "Ana", "familyName": "Ñ_ez"},
        "emails": [{"value": "ana@corp.local", "type": "work", "primary": True},
                   {"value": "ana@casa.local", "type": "home"}],
        ENTERPRISE: {"department": "I+D"},
        CUSTOM: {"badge": 7, "remote": True},
    },
    "berta@corp.local": {
        "displayName": 'Berta "B" \\o/',
        "externalId": "a1",
        "name": {"givenName": "Berta"},
        "emails": [{"value": "berta@corp.local", "type": "WORK"}],
        CUSTOM: {"badge": 70, "rate": 0.1},
    },
    "carlos@corp.local": {"displayName": "O'Hara; DROP TABLE--", "active": False},
}  # fmt: skip
FOUND = [
    ('userName eq "ANA@CORP.LOCAL"', "a"),
    ('USERNAME EQ "ana@corp.local"', "a"),
    ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ana@corp.local"', "a"),
    ('userName ne "ana@corp.local"', "bc"),
    ('userName Ne "ana@corp.local"', "bc"),
    ('userName sw "b"', "b"),
    ('userName co "%"', ""),
    ('userName co "_"', ""),
    ('userName co "\\\\"', ""),
    ('displayName co "%"', "a"),
    ('displayName co "100%"', "a"),
    ('displayName eq "Ana 100_"', ""),
    ('displayName sw "A_a"', ""),
    ('displayName ew "%"', "a"),
    ('displayName co "\\\\o/"', "b"),
    ('displayName co "\\"B\\""', "b"),
    ("displayName co \"'\"", "c"),
    ("displayName eq \"O'Hara; DROP TABLE--\"", "c"),
    ("displayName eq \"x' OR '1'='1\"", ""),
    ('displayName eq "x\\" or userName pr or userName eq \\""', ""),
    ('displayName eq ""', ""),
    ('displayName co ""', "abc"),
    ('name.familyName co "_"', "a"),
    ('name.familyName sw "Ñ"', "a"),
    ('name.familyName sw "ñ"', "a"),
    ('name.familyName eq null', "bc"),
    ('name pr', "ab"),
    ('externalId eq "A1"', "a"),
    ('externalId eq "a1"', "b"),
    ('externalId pr', "ab"),
    ('active eq false', "c"),
    ('active eq "False"', "c"),
    ('active ne false', "ab"),
    ('not (active eq true)', "c"),
    ('not (name.familyName eq "x")', "abc"),
    ('emails eq "ana@casa.local"', "a"),
    ('emails.type eq "work"', "ab"),
    ('emails[type eq "work"].value eq "ana@corp.local"', "a"),
    ('emails[type eq "home" and value co "casa"]', "a"),
    ('emails[type eq "home" and value co "corp"]', ""),
    ('emails.type eq "home" and emails.value co "corp"', "a"),
    ('emails[not (primary eq true)]', "ab"),
    ('emails[primary pr]', "a"),
    ('not (emails pr)', "c"),
    (f'{ENTERPRISE}:department eq "i+d"', "a"),
    (f'{CUSTOM}:badge gt 7', "b"),
    (f'{CUSTOM}:badge ge 7 and {CUSTOM}:badge lt 70', "a"),
    (f'{CUSTOM}:remote eq true', "a"),
    (f'{CUSTOM}:rate eq 0.1', "b"),
    (f'{CUSTOM}:rate eq 1e-1', "b"),
    ('userName sw "a" or userName sw "b" and active eq false', "a"),
    ('(userName sw "a" or userName sw "b") and active eq false', ""),
    ('userName sw "c" and active eq true or userName sw "a"', "a"),
    ('meta.created gt "2020-01-01T00:00:00Z"', "abc"),
    ('meta.lastModified lt "2020-01-01T00:00:00Z"', ""),
    ('meta.resourceType eq "User"', "abc"),
    ('meta.resourceType eq "Group"', ""),
    ('id eq "no-uuid"', ""),
    ('id pr', "abc"),
]  # fmt: skip


@pytest.fixture
def people(entra):
    for name, kind in (("badge", "integer"), ("rate", "decimal"), ("remote", "boolean")):
        attributes.add(name, kind, actor=SYSTEM)
    return {name[0]: entra.user(name, **more) for name, more in PEOPLE.items()}


@pytest.mark.parametrize("batch", range(4))
def test_a_filter_finds_exactly_whom_it_describes(entra, people, batch):
    wrong = {}
    for filter, names in FOUND[batch::4]:
        found = "".join(sorted(user["userName"][0] for user in entra.find(filter)))
        if found != names:
            wrong[filter] = found
    assert not wrong


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ('userName eq "ana@corp.local"', "a"), ('name.familyName co "_"', "a"),
        ('userName sw "A"', "a"),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "A"', "a"),
        ("externalId pr", "ab"), ('meta.lastModified gt "2011-05-13T04:42:34Z"', "abc"),
        ('meta.lastModified ge "2011-05-13T04:42:34Z"', "abc"),
        ('meta.lastModified lt "2011-05-13T04:42:34Z"', ""),
        ('meta.lastModified le "2011-05-13T04:42:34Z"', ""),
        ("externalId pr and active eq true", "ab"), ("externalId pr or active eq false", "abc"),
        ('active eq true and (emails co "casa.local" or emails.value co "none.org")', "a"),
        ('active ne false and not (emails co "casa.local" or emails.value co "none.org")', "b"),
        ('active eq true and (emails.type eq "work")', "ab"),
        ('active eq true and emails[type eq "work" and value co "@corp.local"]', "ab"),
        ('emails[type eq "work" and value co "@none"] or emails[type eq "home"]', "a"),
    ],
)  # fmt: skip
def test_the_examples_of_the_rfc_are_understood(entra, people, filter, names):
    """RFC 7644 §3.4.2.2, Figure 2, with attributes that are kept."""
    found = "".join(sorted(user["userName"][0] for user in entra.find(filter)))
    assert found == names


REFUSED = [
    "", " ", "userName", "userName eq", 'eq "x"', 'userName = "x"', 'userName == "x"',
    "userName eq x", "userName eq 'x'", 'userName eq "x', 'userName eq "x" and',
    'userName eq "x" or or', 'userName eq "x"; DROP TABLE x', f'{CUSTOM}:badge co "7"',
    'userName eq "x")', '(userName eq "x"', '(userName eq "x"))', 'userName eq "x" userName eq "y"',
    'not userName eq "x"', "userName pr x", 'userName like "x"', 'unknown eq "x"',
    'userName__startswith eq "x"', 'user_name eq "x"', 'provider eq "x"', 'password eq "x"',
    'title eq "x"', 'manager eq "x"', 'phoneNumbers.value eq "x"', "userName eq 5",
    "userName eq true", "userName gt null", "active eq 1", 'active eq "x"', "active gt true",
    'active co "t"',
    'emails[type eq "work"', 'emails[]', 'emails[unknown eq "x"]', 'emails[userName eq "x"]',
    'userName[value eq "x"]', 'name eq "x"', 'name.unknown eq "x"', 'meta eq "x"',
    f'{CUSTOM}:unknown eq "x"', f'{CUSTOM}:badge eq "7"', f"{CUSTOM}:badge eq 7.0",
    f"{CUSTOM}:badge eq 99999999999999999999", f"{CUSTOM}:rate eq 1e400", f"{CUSTOM}:rate eq NaN",
    'meta.created gt "yesterday"', "meta.created gt 5", 'meta.created co "2026"',
    'userName eq "\\ud800"', 'userName eq "\\u0000"', 'userName eq "\\x"', 'userName eq "a\nb"',
    'urn:x:userName eq "x"', '$where eq "1"', "1 eq 1", "' or 1=1 --",
    'userName eq "x" xor active eq true', 'userName eq ["x"]', 'userName eq {"a": 1}', "(((", ")))",
    'userName\x00eq "x"', "🙂", 'emails[type eq "work"].unknown eq "x"', "emails[emails[value pr]]",
]  # fmt: skip


@pytest.mark.parametrize("batch", range(4))
def test_a_bad_filter_is_never_an_empty_list(entra, people, batch):
    answers = {filter: refusal(entra, filter) for filter in REFUSED[batch::4]}
    assert {f: a for f, a in answers.items() if a != (400, "invalidFilter")} == {}


@pytest.mark.parametrize("filter", ['userName eq "x"', 'emails.value eq "x"', "active eq true"])
def test_a_groups_filter_knows_no_users_attributes(entra, filter):
    assert refusal(entra, filter, "Groups") == (400, "invalidFilter")


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        ('displayName eq "VENTAS"', "V"), ('displayName sw "c"', "C"), ("displayName pr", "CV"),
        ('members eq "{a}"', "V"), ('members.value eq "{a}"', "V"), ("members pr", "V"),
        ("not (members pr)", "C"), ('members[value eq "{a}"]', "V"), ('externalId eq "x"', ""),
        ('members[value eq "{b}"]', ""), ('members.display co "100%"', "V"), ('id ne "x"', "CV"),
        ('members.type eq "User"', "V"), ('members.type eq "Group"', ""),
        ('meta.resourceType eq "Group"', "CV"),
    ],
)  # fmt: skip
def test_a_filter_of_groups_finds_exactly_what_it_describes(entra, people, filter, names):
    entra.group("Ventas", people["a"])
    entra.group("Compras")
    for letter, user in people.items():
        filter = filter.replace(f"{{{letter}}}", user["id"])
    found = "".join(sorted(group["displayName"][0] for group in entra.find(filter, "Groups")))
    assert found == names


@pytest.mark.parametrize("name", ["created", "lastModified"])
@pytest.mark.parametrize("is_changed", [False, True])
def test_a_time_that_was_shown_finds_its_user(entra, name, is_changed):
    user = entra.user()
    if is_changed:
        patch = {"op": "add", "path": "displayName", "value": "x"}
        user = entra.patch(f"/Users/{user['id']}", patch).json()
    shown = user["meta"][name]
    found = {op: len(entra.find(f'meta.{name} {op} "{shown}"')) for op in OPERATORS}
    assert found == {"eq": 1, "ge": 1, "le": 1, "ne": 0, "gt": 0, "lt": 0}
    for extreme in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        found = {op: len(entra.find(f'meta.{name} {op} "{extreme}"')) for op in OPERATORS}
        assert found["gt"] == found["ge"] == (extreme < shown)
        assert found["lt"] == found["le"] == (extreme > shown)


OPERATORS = ["eq", "ne", "gt", "ge", "lt", "le"]


def test_entra_may_ask_who_the_manager_is_and_finds_nobody(entra, people):
    assert entra.find(f'id eq "{people["a"]["id"]}" and manager eq "x"') == []


@pytest.mark.parametrize(
    "filter",
    [
        " or ".join(f'userName eq "u{n}"' for n in range(200)),
        " and ".join('emails.value ne "x"' for n in range(200)),
        " or ".join(f'emails[type eq "w{n}" and value co "x"]' for n in range(66)),
        " or ".join('groups.display co "x"' for n in range(200)),
        "not (" * 50 + "userName pr" + ")" * 50,
        "(" * 50 + "emails pr" + ")" * 50,
        "not (userName pr or " * 49 + "not (emails.type ne " + '"x"' + ")" * 50,
        "not (active eq true and not (emails pr or " * 25 + "id pr" + "))" * 25,
        "active eq true and (emails.type ne \"x\" or (" * 25 + "id pr" + "))" * 25,
        "((" * 25 + "id pr" + " and active eq true) or emails.type ne \"x\")" * 25,
        "not (" * 48 + 'emails[not (primary eq true) or display ne "x"]' + ")" * 48,
        f'userName eq "{"x" * 8_000}"',
        f'displayName sw "{"ñ" * 4_000}"',
        f'displayName co "{"%" * 8_000}"',
    ],
    ids=["or", "and ne", "brackets", "joins", "not", "parentheses", "not or", "not and or", "right",
         "left", "brackets in not", "long", "wide", "percent"],
)  # fmt: skip
def test_the_largest_filter_that_is_accepted_is_answered(entra, people, filter):
    assert isinstance(entra.find(filter), list)


@pytest.mark.parametrize(
    "filter",
    [
        " or ".join(f'userName eq "u{n}"' for n in range(201)),
        "(" * 51 + "userName pr" + ")" * 51,
        "not (" * 51 + "userName pr" + ")" * 51,
        "(" * 100_000,
        "not (" * 20_000,
        " or ".join('id eq "x"' for n in range(20_000)),
        'userName eq "' + "x" * 100_000 + '"',
        'userName eq "' + "ñ" * 4_090 + '"',
    ],
    ids=["201 terms", "deep", "deep not", "deeper", "deeper not", "wider", "longer", "bytes"],
)
def test_a_filter_past_a_limit_is_refused(entra, filter):
    assert refusal(entra, filter) == (400, "invalidFilter")


def test_a_parameter_given_twice_is_the_last(entra, seven):
    assert page(entra, "count=1&count=2")["itemsPerPage"] == 2


def test_an_address_that_is_not_utf_8_is_data(entra, seven):
    response = entra.get("/Users?filter=userName%20eq%20%22%ff%fe%22")
    assert response.json()["totalResults"] == 0


def test_nothing_is_listed_without_a_token(db):
    assert Client().get("/scim/v2/Users").status_code == 401


@pytest.mark.parametrize(
    ("filter", "names"),
    [
        (f'schemas eq "{ENTERPRISE}"', "a"), (f'schemas eq "{ENTERPRISE.upper()}"', "a"),
        (f'schemas eq "{CUSTOM}"', "ab"), (f'schemas ne "{CUSTOM}"', "abc"), ("schemas pr", "abc"),
        ('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"', "abc"),
        (f'not (schemas eq "{CUSTOM}")', "c"), ('schemas eq "urn:example:unknown"', ""),
        (f'schemas eq "{CUSTOM}" and userName sw "b"', "b"),
    ],
)  # fmt: skip
def test_resources_are_found_by_their_schemas(entra, people, filter, names):
    """RFC 7644 §3.4.2.2, Figure 2."""
    found = "".join(sorted(user["userName"][0] for user in entra.find(filter)))
    assert found == names


def test_brackets_over_name_and_meta_ask_their_parts(entra):
    """A name in brackets once meant anybody with a name."""
    entra.user("luis@x", name={"givenName": "Luis", "familyName": "Pérez"})
    entra.user("eva@x", name={"givenName": "Eva"})
    entra.user("nameless@x")
    for filter, found in [
        ('name[givenName eq "luis"]', "luis@x"),
        ('name[givenName eq "nobody"]', ""),
        ('name[givenName eq "luis" and familyName sw "pé"]', "luis@x"),
        ("name[not (familyName pr)]", "eva@x"),
        ('not (name[givenName eq "luis"])', "eva@x nameless@x"),
        ('meta[resourceType eq "Group"]', ""),
        ('meta[created gt "2020-01-01T00:00:00Z"] and userName sw "eva"', "eva@x"),
    ]:
        assert " ".join(sorted(u["userName"] for u in entra.find(filter))) == found, filter


def test_a_list_of_groups_is_bounded_by_their_members(entra, monkeypatch):
    people = [entra.user(f"m{n}@x") for n in range(4)]
    first, _ = entra.group("Uno", *people), entra.group("Dos", *people)
    monkeypatch.setattr(memberships, "MOST_MEMBERS", 6)
    refused = entra.get("/Groups")
    assert (refused.status_code, refused.json()["scimType"]) == (400, "tooMany")
    assert entra.get("/Groups?excludedAttributes=members").json()["totalResults"] == 2
    assert len(entra.get("/Groups?count=1").json()["Resources"][0]["members"]) == 4
    monkeypatch.setattr(memberships, "MOST_MEMBERS", 3)
    assert len(entra.get(f"/Groups/{first['id']}").json()["members"]) == 4
