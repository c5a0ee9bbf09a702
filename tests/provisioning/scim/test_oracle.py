"""PATCH and filters against scim2-models, another implementation, where it follows the same RFC."""

from hypothesis import given
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, PatchOp, ScimFilter, User

from provisioning.scim import documents, filters, patch
from provisioning.scim.filters import Comparison, Present, ValuePath
from provisioning.scim.schemas import ENTERPRISE, USER_URN, user_type
from tests.provisioning.scim.strategies import combined, printed

TYPE = user_type()
MODEL = User[EnterpriseUser]
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

TEXTS = st.sampled_from(["a", "b", "c"])
ADDRESSES = st.sampled_from(["a@example.org", "b@example.org", "c@example.org"])
KINDS = st.sampled_from(["work", "home", "other"])
SIMPLE = [
    "displayName",
    "externalId",
    "name.givenName",
    "name.familyName",
    f"{USER_URN}:displayName",
    f"{ENTERPRISE}:department",
]


def email(value, type, primary):
    return {"value": value, "type": type} | ({"primary": True} if primary else {})


EMAILS = st.lists(
    st.builds(email, ADDRESSES, KINDS, st.just(False)),
    max_size=3,
    unique_by=(lambda each: each["value"], lambda each: each["type"]),
)


def one_primary(emails, at):
    return [each | ({"primary": True} if at == n else {}) for n, each in enumerate(emails)]


LISTS = st.builds(one_primary, EMAILS, st.integers(0, 5))
BODIES = st.fixed_dictionaries(
    {"userName": st.just("luis")},
    optional={
        "displayName": TEXTS,
        "externalId": TEXTS,
        "active": st.booleans(),
        "name": st.fixed_dictionaries({"givenName": TEXTS}, optional={"familyName": TEXTS}),
        "emails": LISTS.filter(bool),
        ENTERPRISE: st.fixed_dictionaries({"department": TEXTS}),
    },
)


def op(verb, path, value=None):
    operation = {"op": verb, "path": path} if path else {"op": verb}
    return operation if value is None else operation | {"value": value}


VERBS = st.sampled_from(["add", "replace"])
OPERATIONS = st.one_of(
    st.builds(op, VERBS, st.sampled_from(SIMPLE), TEXTS),
    st.builds(op, VERBS, st.just("active"), st.booleans()),
    st.builds(op, st.just("remove"), st.sampled_from([*SIMPLE, "name", "emails"])),
    st.builds(op, VERBS, st.just("name"), st.fixed_dictionaries({"familyName": TEXTS})),
    st.builds(op, st.just("replace"), st.just("emails"), LISTS.filter(bool)),
    st.builds(
        op,
        VERBS,
        st.none(),
        st.fixed_dictionaries(
            {},
            optional={
                "displayName": TEXTS,
                "active": st.booleans(),
                "name": st.fixed_dictionaries({"givenName": TEXTS}),
                ENTERPRISE: st.fixed_dictionaries({"department": TEXTS}),
            },
        ).filter(bool),
    ),
    st.builds(lambda kind: op("remove", f'emails[type eq "{kind}"]'), KINDS),
    st.builds(lambda kind: op("remove", f'emails[type eq "{kind}"].display'), KINDS),
)


def by_the_oracle(body, operations):
    user = MODEL.model_validate({"schemas": [USER_URN]} | body)
    PatchOp[MODEL].model_validate({"schemas": [PATCH_OP], "Operations": operations}).patch(user)
    after = user.model_dump()
    del after["schemas"]
    return after


@given(BODIES, st.lists(OPERATIONS, min_size=1, max_size=3))
def test_the_engine_agrees_with_the_oracle(body, operations):
    before = documents.read(body, TYPE).resource
    after = patch.apply(patch.parse({"Operations": operations}, TYPE), before)
    assert after == by_the_oracle(body, operations)


@given(BODIES.filter(lambda body: "emails" in body), VERBS, st.booleans(), st.data())
def test_the_engine_agrees_on_chosen_elements(body, verb, is_primary, data):
    kind = data.draw(st.sampled_from(body["emails"]))["type"]
    part = {"primary": True} if is_primary else {"display": "x"}
    (name, value), *_ = part.items()
    operation = op(verb, f'emails[type eq "{kind}"].{name}', value)
    before = documents.read(body, TYPE).resource
    after = patch.apply(patch.parse({"Operations": [operation]}, TYPE), before)
    assert after == by_the_oracle(body, [operation])


@given(BODIES, st.builds(email, ADDRESSES, KINDS, st.booleans()))
def test_the_engine_agrees_on_a_new_element(body, new):
    values = {each["value"] for each in body.get("emails", ())}
    if new["value"] in values:
        return
    operation = op("add", "emails", [new])
    before = documents.read(body, TYPE).resource
    after = patch.apply(patch.parse({"Operations": [operation]}, TYPE), before)
    assert after == by_the_oracle(body, [operation])


# Filters: the oracle is right but for `ne` of several values, where RFC 7644 §3.4.2.2 says that
# any value that differs is enough, and it asks for none that is equal.

LEAVES = [
    path
    for name, path in sorted(TYPE.paths.items())
    if path.kept and path.leaf.type in ("string", "boolean") and not name.startswith("urn:ietf")
    if path.attribute.name in ("userName", "displayName", "externalId", "name", "emails", "active")
] + [TYPE.paths[f"{ENTERPRISE}:department".lower()]]
EMAIL_LEAVES = [path for path in LEAVES if path.attribute.multi_valued]
WORDS = st.sampled_from(["a", "A", "ab", "b", "a@example.org", "B@example.org", "work", "%", "_"])
STRING_OPERATORS = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])


@st.composite
def terms(draw, leaves=LEAVES):
    path = draw(st.sampled_from(leaves))
    if draw(st.integers(0, 4)) == 0:
        return Present(path)
    is_boolean = path.leaf.type == "boolean"
    operator = draw(st.sampled_from(["eq", "ne"]) if is_boolean else STRING_OPERATORS)
    if path.attribute.multi_valued and leaves is LEAVES and operator == "ne":
        operator = "eq"
    if is_boolean:
        values = st.booleans()
    elif path.name == "emails.value" and operator not in ("co", "sw", "ew"):
        values = ADDRESSES  # the oracle takes no other text for an e-mail's value
    else:
        values = WORDS
    return Comparison(path, operator, draw(values))


EMAILS_PATH = TYPE.paths["emails"]
FILTERS = combined(
    terms() | combined(terms(EMAIL_LEAVES)).map(lambda inner: ValuePath(EMAILS_PATH, inner))
)


@given(BODIES, FILTERS)
def test_the_evaluator_agrees_with_the_oracle(body, tree):
    text = printed(tree)
    found = filters.evaluate(filters.parse(text, TYPE), documents.read(body, TYPE).resource)
    user = MODEL.model_validate({"schemas": [USER_URN]} | body)
    assert found == ScimFilter[MODEL](text).match(user), text
