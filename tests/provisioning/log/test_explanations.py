"""Each refusal of the service has its words, for every kind of IdP, in both languages."""

import ast

import pytest
from django.conf import settings
from django.utils import translation

from provisioning import errors
from provisioning.api.errors import RULES
from provisioning.log.explanations import (
    BY_REASON,
    BY_STATUS,
    BY_TYPE,
    PLACES,
    advice_for,
    explanation_of,
)
from provisioning.log.notes import Notes, reason_of
from provisioning.models import LoggedRequest, Provider
from provisioning.scim.errors import TooLong, UnknownCustomAttribute

KINDS = Provider.Kind.values
CONSTRUCTORS = {
    "invalid_filter": "invalidFilter", "invalid_path": "invalidPath", "no_target": "noTarget",
    "invalid_value": "invalidValue", "invalid_syntax": "invalidSyntax", "mutability": "mutability",
    "too_many": "tooMany",
}  # fmt: skip
# What only the portal's operations raise: no SCIM request ends in them.
PORTAL_ONLY = {
    errors.AlreadySent, errors.AttributeNameTaken, errors.SameProvider, errors.TokenExpired,
    errors.TokenLimitReached, errors.TooManyAttributes, errors.WrongConfirmation,
}  # fmt: skip
ANSWERED_ELSEWHERE = {401, 429}  # without a caller: never in the log


def every(kind):
    return [e for one in kind.__subclasses__() for e in (one, *every(one))]


def refusals():
    """Return each (status, scimType) that the engine and the API write down."""
    found = set()
    for folder in ("scim", "api"):
        for path in (settings.BASE_DIR / "provisioning" / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = ast.unparse(node.func).rpartition(".")[2]
                given = {
                    k.arg: k.value.value
                    for k in node.keywords
                    if isinstance(k.value, ast.Constant) and k.arg
                }
                if name in CONSTRUCTORS:
                    found.add((400, CONSTRUCTORS[name]))
                elif name == "too_large":
                    found.add((413, ""))
                elif name in ("ScimError", "UnknownCustomAttribute"):
                    found.add((given.get("status", 400), given.get("scim_type", "")))
    return found | set(RULES.values())


def test_every_scim_type_of_the_engine_is_explained():
    found = refusals()
    assert len(found) > 12
    missing = {
        (status, type)
        for status, type in found
        if (status, type) not in BY_TYPE and (type or status not in BY_STATUS)
    }
    assert missing - {(404, ""), (409, ""), (412, "")} == set()


def test_every_rule_that_a_request_can_break_is_explained():
    rules = set(every(errors.ProvisioningError)) - PORTAL_ONLY
    reasons = {reason_of(rule) for rule in (*rules, UnknownCustomAttribute, TooLong)}
    assert reasons == set(BY_REASON)


@pytest.mark.parametrize("status", sorted({400, 403, 404, 405, 409, 412, 413, 415, 500, 501, 503}))
def test_every_status_is_explained(status):
    assert status not in ANSWERED_ELSEWHERE
    assert explanation_of(status) is not None


def test_what_was_done_needs_no_explanation():
    assert explanation_of(200) is explanation_of(304) is None


def test_an_answer_of_tomorrow_is_explained_by_its_class():
    assert explanation_of(418, "teapot") is BY_STATUS[400]
    assert explanation_of(599) is BY_STATUS[500]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_every_console_has_its_places(place, kind):
    assert PLACES[place][kind]


@pytest.mark.parametrize("kind", [*KINDS, "another"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_refusal_has_advice_in_words(kind, language):
    cases = [(400, "", reason) for reason in BY_REASON]
    cases += [(status, type, "") for status, type in BY_TYPE]
    cases += [(status, "", "") for status in BY_STATUS]
    with translation.override(language):
        for status, type, reason in cases:
            row = LoggedRequest(status=status, scim_type=type, reason=reason, provider_kind=kind)
            advice = advice_for(row)
            for text in (advice.title, advice.meaning, advice.fix, advice.rfc):
                assert str(text).strip(), (status, type, reason)
            assert "RFC" in str(advice.rfc)


def test_entra_is_told_where_it_keeps_the_rule_of_the_name():
    row = LoggedRequest(status=400, scim_type="mutability", reason="immutable")
    row.provider_kind = "entra-id"
    with translation.override("es"):
        advice = advice_for(row)
        assert "Solo durante la creación" in str(advice.fix)
        assert "Asignación de atributos" in str(advice.place)
    row.provider_kind = "okta"
    with translation.override("en"):
        assert "Create only" in str(advice_for(row).fix)
        assert advice_for(row).place == "", "it says itself where"


def test_a_bug_has_no_reason_of_its_own():
    assert Notes(error=ZeroDivisionError()).settle() == ""
    notes = Notes(error=errors.UserNameHeldElsewhere())
    assert notes.settle() == "user_name_held_elsewhere"
    assert notes.error is None, "a traceback holds the whole request"
