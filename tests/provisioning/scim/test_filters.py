"""Filters: the grammar in full, what is refused, and the limits."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provisioning.scim import filters, limits
from provisioning.scim.errors import ScimError
from provisioning.scim.filters import And, Comparison, Never, Not, Or, Present, ValuePath, parse
from provisioning.scim.schemas import CUSTOM, ENTERPRISE, GROUP
from tests.provisioning.scim.strategies import TREES, USER, attempt, printed


def path(name, type=USER):
    found = type.find(name)
    assert found is not None
    return found


def term(name, operator, value, type=USER):
    return Comparison(path(name, type), operator, value)


A, B, C = (term("userName", "eq", each) for each in "abc")
WORK = term("emails.type", "eq", "work")
DEPARTMENT = f"{ENTERPRISE}:department"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        pytest.param('userName eq "a"', A, id="RFC 7644 §3.4.2.2: eq"),
        pytest.param('USERNAME Eq "a"', A, id="names and operators in any case"),
        pytest.param(
            'URN:ietf:params:scim:schemas:core:2.0:USER:username eq "a"', A, id="RFC: core URN"
        ),
        pytest.param('  userName   eq\t"a"  ', A, id="more space than needed"),
        pytest.param(
            'name.familyName co "O\'Malley"',
            term("name.familyName", "co", "O'Malley"),
            id="RFC: co",
        ),
        pytest.param('userName sw "J"', term("userName", "sw", "J"), id="RFC: sw"),
        pytest.param("displayName pr", Present(path("displayName")), id="RFC: pr"),
        pytest.param(
            'meta.lastModified gt "2011-05-13T04:42:34Z"',
            term("meta.lastModified", "gt", datetime(2011, 5, 13, 4, 42, 34, tzinfo=UTC)),
            id="RFC: dateTime",
        ),
        pytest.param(
            'userName eq "a" or userName eq "b" and userName eq "c"',
            Or((A, And((B, C)))),
            id="and binds closer than or",
        ),
        pytest.param(
            'userName eq "a" and userName eq "b" or userName eq "c"',
            Or((And((A, B)), C)),
            id="and first",
        ),
        pytest.param(
            '(userName eq "a" or userName eq "b") and userName eq "c"',
            And((Or((A, B)), C)),
            id="RFC: grouping",
        ),
        pytest.param(
            'not (userName eq "a") and userName eq "b"', And((Not(A), B)), id="not binds closest"
        ),
        pytest.param('NOT(userName eq "a")', Not(A), id="not without a space"),
        pytest.param('((userName eq "a"))', A, id="superfluous parentheses"),
        pytest.param(
            'emails[type eq "work" and value co "@"]',
            ValuePath(path("emails"), And((WORK, term("emails.value", "co", "@")))),
            id="RFC: value path",
        ),
        pytest.param(
            'emails[not (type eq "work") or primary eq true]',
            ValuePath(path("emails"), Or((Not(WORK), term("emails.primary", "eq", True)))),
            id="value path with not and or",
        ),
        pytest.param(
            'emails[type eq "work"].value eq "x"',
            ValuePath(path("emails"), And((WORK, term("emails.value", "eq", "x")))),
            id="Entra: match by work e-mail",
        ),
        pytest.param(
            'emails[type eq "work" and primary eq true].value eq "x"',
            ValuePath(
                path("emails"),
                And((WORK, term("emails.primary", "eq", True), term("emails.value", "eq", "x"))),
            ),
            id="Entra: three terms of one element",
        ),
        pytest.param(
            'emails eq "x"',
            term("emails.value", "eq", "x"),
            id="PingFederate: emails without .value",
        ),
        pytest.param(
            'emails.value eq "x"', term("emails.value", "eq", "x"), id="RFC: emails.value"
        ),
        pytest.param('groups eq "g"', term("groups.value", "eq", "g"), id="groups without .value"),
        pytest.param("emails pr", Present(path("emails")), id="pr of a complex attribute"),
        pytest.param(f'{DEPARTMENT} eq "IT"', term(DEPARTMENT, "eq", "IT"), id="extension URN"),
        pytest.param(
            'urn:scim:schemas:extension:enterprise:2.0:department eq "IT"',
            term(DEPARTMENT, "eq", "IT"),
            id="OneLogin: its URN",
        ),
        pytest.param(f"{CUSTOM}:badge ge 5", term(f"{CUSTOM}:badge", "ge", 5), id="integer"),
        pytest.param(
            f"{CUSTOM}:rate lt 1.5e1", term(f"{CUSTOM}:rate", "lt", Decimal("15.0")), id="decimal"
        ),
        pytest.param(
            f"{CUSTOM}:rate eq 5", term(f"{CUSTOM}:rate", "eq", Decimal("5.0")), id="whole decimal"
        ),
        pytest.param("active eq true", term("active", "eq", True), id="boolean"),
        pytest.param("active eq TRUE", term("active", "eq", True), id="boolean in capitals"),
        pytest.param('active eq "False"', term("active", "eq", False), id="Entra: boolean as text"),
        pytest.param(
            "displayName eq null", Not(Present(path("displayName"))), id="eq null is not present"
        ),
        pytest.param("displayName ne null", Present(path("displayName")), id="ne null is present"),
        pytest.param(
            "emails[type eq null]",
            ValuePath(path("emails"), Not(Present(path("emails.type")))),
            id="null within brackets",
        ),
        pytest.param(
            r'displayName eq "a\"b\\\u00e9"', term("displayName", "eq", 'a"b\\é'), id="JSON escapes"
        ),
        pytest.param(
            'displayName eq "x and (y or z"',
            term("displayName", "eq", "x and (y or z"),
            id="grammar within a text",
        ),
        pytest.param(
            'displayName eq "\'; DROP TABLE users; --"',
            term("displayName", "eq", "'; DROP TABLE users; --"),
            id="SQL is text",
        ),
        pytest.param(
            'displayName co ""',
            term("displayName", "co", ""),
            id="co of nothing is part of every value",
        ),
        pytest.param(
            'id eq "u" and manager eq "m"',
            And((term("id", "eq", "u"), Never())),
            id="Entra: is this the manager?",
        ),
        pytest.param(
            f'id eq "u" and {ENTERPRISE}:manager.value eq "m"',
            And((term("id", "eq", "u"), Never())),
            id="Entra: manager by URN",
        ),
        pytest.param(
            'id eq "u" and manager.value eq "m"',
            And((term("id", "eq", "u"), Never())),
            id="Entra: manager.value",
        ),
    ],
)
def test_a_filter_becomes_its_tree(text, tree):
    assert parse(text, USER) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('displayName eq "IT"', term("displayName", "eq", "IT", GROUP)),
        ('members eq "u"', term("members.value", "eq", "u", GROUP)),
        (
            'members[value eq "u"]',
            ValuePath(path("members", GROUP), term("members.value", "eq", "u", GROUP)),
        ),
    ],
)
def test_a_filter_of_groups_becomes_its_tree(text, tree):
    assert parse(text, GROUP) == tree


def refused(text, type=USER):
    with pytest.raises(ScimError) as caught:
        parse(text, type)
    body = caught.value.to_dict()
    assert body["status"] == "400"
    assert body["scimType"] == "invalidFilter"
    assert body["detail"].endswith(".")
    return body["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "userName",
        "userName eq",
        "eq",
        '"a"',
        "userName eq a",
        "userName eq 'a'",
        'userName eq "a',
        'userName eq a"',
        'userName eq "a" "b"',
        'userName eq "a" and',
        'and userName eq "a"',
        'userName eq "a" userName eq "b"',
        'userName eq "a" garbage',
        'userName eq "a";',
        '(userName eq "a"',
        'userName eq "a")',
        "()",
        "not",
        'not userName eq "a"',
        "not ()",
        'userName = "a"',
        'userName like "a"',
        'userName eq "a" && userName eq "b"',
        'userName pr "a"',
        'userName\u00a0eq "a"',
        'userName eq\x0b"a"',
        'userName eq "\ud800"',
        r'userName eq "\ud800"',
        r'userName eq "\u0000"',
        r'userName eq "\x"',
        'userName eq "a\nb"',
        "emails[]",
        'emails[type eq "work"',
        'emails[type eq "work"]]',
        'emails[type eq "work"].value',
        'emails[type eq "work"].foo eq "x"',
        'emails[type eq "work"].emails[type eq "x"] eq "y"',
        'emails[emails[type eq "work"]]',
        'emails[userName eq "x"]',
        'userName[value eq "x"]',
        'emails.value[type eq "x"]',
    ],
)
def test_broken_syntax_is_refused(text):
    refused(text)


@pytest.mark.parametrize(
    "text",
    [
        'foo eq "a"',
        'userName__startswith eq "a"',
        'userName.lower eq "a"',
        'pk eq "1"',
        "is_staff eq true",
        '__class__ eq "x"',
        'password eq "x"',
        'title eq "x"',
        'department eq "x"',
        'addresses[type eq "work"].formatted eq "x"',
        'name.middleName eq "x"',
        'manager eq "m"',
        'id eq "u" or manager eq "m"',
        'userName eq "u" and manager eq "m"',
        'id ne "u" and manager eq "m"',
        'id eq "u" and manager ne "m"',
        'id eq "u" and manager eq null',
        'id eq "u" and manager pr',
        f'{CUSTOM}:unknown eq "x"',
        'urn:example:foo eq "x"',
        'members eq "u"',
    ],
)
def test_what_is_unknown_or_not_kept_is_refused(text):
    refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "userName eq 5",
        "userName eq true",
        'active eq "maybe"',
        'active eq ""',
        "active eq 1",
        "active gt true",
        'active co "t"',
        "userName gt null",
        f'{CUSTOM}:badge eq "5"',
        f"{CUSTOM}:badge eq 5.0",
        f"{CUSTOM}:badge eq 05",
        f"{CUSTOM}:badge co 5",
        f"{CUSTOM}:badge eq {2**63}",
        f"{CUSTOM}:badge eq {'9' * 5000}",
        f"{CUSTOM}:rate eq 1e400",
        f"{CUSTOM}:rate eq NaN",
        f'{CUSTOM}:rate eq ""',
        'meta.created gt "yesterday"',
        'meta.created co "2026-01-31T08:00:00Z"',
        "meta.created gt 5",
        'name eq "x"',
        'name[foo eq "x"]',
    ],
)
def test_a_value_of_the_wrong_type_is_refused(text):
    refused(text)


def test_a_group_has_no_manager_to_ask_for():
    refused('id eq "g" and manager eq "m"', GROUP)


def test_a_refusal_says_what_is_allowed():
    assert "double quotes" in refused("userName eq ana")
    assert "eq, ne, co" in refused('userName equals "a"')
    assert "not kept" in refused('title eq "x"')


OR_CHAIN = " or ".join(['id eq "a"'] * limits.FILTER_TERMS)
DEEP = "(" * limits.FILTER_DEPTH + 'id eq "a"' + ")" * limits.FILTER_DEPTH
LONG = 'id eq "' + "é" * ((limits.FILTER_BYTES - len('id eq ""')) // 2) + '"'


@pytest.mark.parametrize("text", [OR_CHAIN, DEEP, LONG], ids=["terms", "depth", "bytes"])
def test_a_filter_at_the_limit_is_understood(text):
    parse(text, USER)


@pytest.mark.parametrize(
    "text",
    [
        OR_CHAIN + ' or id eq "a"',
        f"({DEEP})",
        LONG + "  ",
        "(" * 100_000,
        "not (" * 1_500,
        "emails[" * 1_000,
        "(" * 100_000 + 'id eq "a"' + ")" * 100_000,
        " or ".join(['id eq "a"'] * 20_000),
        "é" * 5_000,
        '"' + "\\" * 8_000,
    ],
    ids=range(10),
)
def test_a_filter_past_a_limit_is_refused_fast(text):
    start = time.perf_counter()
    refused(text)
    assert time.perf_counter() - start < 0.2


@given(TREES, st.sampled_from([str, str.upper, str.lower, str.swapcase]))
def test_a_printed_tree_parses_to_itself(tree, spell):
    assert parse(printed(tree, spell), USER) == tree


WORDS = st.sampled_from(
    [
        "userName",
        "emails",
        "[",
        "]",
        "(",
        ")",
        "not",
        "and",
        "or",
        "eq",
        "pr",
        "co",
        '"x"',
        "true",
        "null",
        "5",
        ".value",
        '"',
        "\\",
        " ",
        "id",
        "manager",
        "urn:",
        "1e9",
        "active",
        "-",
    ]
)


@given(st.text() | st.lists(WORDS, max_size=12).map(" ".join) | st.lists(WORDS).map("".join))
@example("\ud800")
@example('emails[type eq "work"].')
def test_any_text_is_a_tree_or_a_scim_error(text):
    tree, error = attempt(parse, text, USER)
    if error:
        assert (error.http_status, error.scim_type) == (400, "invalidFilter")
    else:
        assert filters.evaluate(tree, {}) in (True, False)


@given(TREES.map(printed), st.data())
def test_a_mutilated_filter_is_a_tree_or_a_scim_error(text, data):
    start, end = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
    insert = data.draw(WORDS | st.just(""))
    _, error = attempt(parse, text[:start] + insert + text[end:], USER)
    assert error is None or error.scim_type == "invalidFilter"


def count(tree):
    match tree:
        case And(inner) | Or(inner):
            return sum(map(count, inner))
        case Not(inner) | ValuePath(_, inner):
            return count(inner)
    return 1


@given(st.lists(st.sampled_from(["and", "or"]), max_size=12))
def test_no_term_is_ever_dropped(joints):
    text = 'userName eq "0"' + "".join(
        f' {joint} userName eq "{number}"' for number, joint in enumerate(joints, 1)
    )
    assert count(parse(text, USER)) == len(joints) + 1
