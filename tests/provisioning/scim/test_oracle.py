"""PATCH against scim2-models, an independent implementation, where it follows the same RFC."""

from hypothesis import given
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, PatchOp, User

from provisioning.scim import documents, patch
from provisioning.scim.schemas import ENTERPRISE, USER_URN, user_type

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
