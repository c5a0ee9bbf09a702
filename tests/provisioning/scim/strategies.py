"""What the property tests draw from: types, resources, trees of filters and their text."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from provisioning.scim.errors import ScimError
from provisioning.scim.filters import And, Comparison, Not, Or, Present, ValuePath
from provisioning.scim.schemas import CUSTOM, ENTERPRISE, CustomAttribute, user_type

USER = user_type(
    (
        CustomAttribute("badge", "integer"),
        CustomAttribute("rate", "decimal"),
        CustomAttribute("since", "dateTime"),
        CustomAttribute("remote", "boolean"),
        CustomAttribute("costCentre", "string"),
    )
)

# Few and alike, so that values meet: same letters in two cases, prefixes, suffixes.
WORDS = st.sampled_from(["a", "A", "b", "ab", "AB", "ba", "É", "é", "aé", "%", "_", 'q"', "\\"])
TEXTS = WORDS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
INTEGERS = st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)
RATES = st.sampled_from([-1.5, 0.0, 0.1, 2.0]) | st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.sampled_from([datetime(2026, 1, day, 8, tzinfo=UTC) for day in (1, 2, 3)])
BOOLEANS = st.booleans()

OPERATORS = {
    "string": ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
    "reference": ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
    "boolean": ["eq", "ne"],
    "integer": ["eq", "ne", "gt", "ge", "lt", "le"],
    "decimal": ["eq", "ne", "gt", "ge", "lt", "le"],
    "dateTime": ["eq", "ne", "gt", "ge", "lt", "le"],
}
VALUES = {
    "string": TEXTS,
    "reference": TEXTS,
    "boolean": BOOLEANS,
    "integer": INTEGERS,
    "decimal": RATES.map(lambda rate: Decimal(repr(rate + 0.0))),
    "dateTime": MOMENTS,
}

KEPT = sorted({path.name: path for path in USER.paths.values() if path.kept}.items())
LEAVES = [path for _, path in KEPT if path.leaf.type != "complex"]
COMPLEX = [path for _, path in KEPT if path.leaf.type == "complex"]


@st.composite
def terms(draw, leaves=LEAVES):
    path = draw(st.sampled_from(leaves))
    if draw(st.integers(0, 4)) == 0:
        return Present(path)
    operator = draw(st.sampled_from(OPERATORS[path.leaf.type]))
    return Comparison(path, operator, draw(VALUES[path.leaf.type]))


def combined(term):
    return st.recursive(
        term,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda each: And(tuple(each))),
            st.lists(inner, min_size=2, max_size=3).map(lambda each: Or(tuple(each))),
            inner.map(Not),
        ),
        max_leaves=6,
    )


@st.composite
def value_paths(draw):
    path = draw(st.sampled_from(COMPLEX))
    parts = [leaf for leaf in LEAVES if leaf.sub and leaf.attribute is path.attribute]
    return ValuePath(path, draw(combined(terms(parts))))


TREES = combined(terms() | st.sampled_from(COMPLEX).map(Present) | value_paths())


def printed(tree, spell=str, inside=False, within=""):
    """Write a tree with no more parentheses than the precedence of RFC 7644 §3.4.2.2 needs."""
    match tree:
        case Comparison(path, operator, value):
            return f"{_name(path, spell, inside)} {spell(operator)} {_literal(value)}"
        case Present(path):
            return f"{_name(path, spell, inside)} {spell('pr')}"
        case Not(term):
            return f"{spell('not')} ({printed(term, spell, inside)})"
        case ValuePath(path, inner):
            return f"{spell(path.name)}[{printed(inner, spell, True)}]"
        case And(inner):
            text = f" {spell('and')} ".join(printed(t, spell, inside, "and") for t in inner)
            return f"({text})" if within == "and" else text
        case Or(inner):
            text = f" {spell('or')} ".join(printed(t, spell, inside, "or") for t in inner)
            return f"({text})" if within else text
    raise AssertionError(tree)


def _name(path, spell, inside):
    return spell(path.sub.name if inside else path.name)


def _literal(value):
    match value:
        case datetime():
            return json.dumps(value.isoformat())
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value)


def attempt(call, *arguments):
    """Return the result and the ScimError of a call, one of them None; others propagate."""
    try:
        return call(*arguments), None
    except ScimError as error:
        return None, error


def some(**parts):
    """Draw an object with any of the keys, or none."""
    return st.fixed_dictionaries({}, optional=parts)


EMAILS = st.lists(
    some(value=WORDS, type=st.sampled_from(["work", "home", "WORK"]), primary=BOOLEANS), max_size=3
)
RESOURCES = some(
    id=WORDS,
    externalId=WORDS,
    userName=WORDS,
    displayName=WORDS,
    name=some(formatted=WORDS, givenName=WORDS, familyName=WORDS),
    emails=EMAILS,
    active=BOOLEANS,
    groups=st.lists(some(value=WORDS, display=WORDS), max_size=2),
    meta=some(created=MOMENTS, lastModified=MOMENTS.map(datetime.isoformat), version=WORDS),
) | some(
    userName=WORDS,
    emails=EMAILS,
    **{
        ENTERPRISE: some(department=WORDS),
        CUSTOM: some(
            badge=INTEGERS, rate=RATES, since=MOMENTS.map(datetime.isoformat), remote=BOOLEANS
        ),
    },
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "True", "false", "work", "x@y", "Group"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
