"""An event in an auditor's words: nothing of what an operation tells is left in the code's."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from audit.models import Event
from audit.presentation import EMAIL_TYPES, MOMENT, NAMES, REMARKS, UNSHOWN, VALUES, Shown, told
from portal import roles
from provisioning.models import CustomAttribute
from provisioning.models.attributes import forget_types
from tests.events import CUSTOM, ROWS, Row

# Details that name something: they are told as they stand.
NAMED = {
    "error",
    "filters",
    "format",
    "groups",
    "month",
    "token",
    "urn",
    "method",
    "path",
    "sha256",
    "members_added",
    "members_removed",
    "query",
}


@pytest.fixture(autouse=True)
def _fresh_process():
    forget_types()


def words(value: Any) -> Iterator[str]:
    """Yield the texts in a value of the journal that are no moment."""
    match value:
        case str() if not MOMENT.fullmatch(value):
            yield value
        case list():
            for item in value:
                yield from words(item)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.django_db
def test_every_name_and_word_of_an_event_has_its_text(row: Row):
    row.arranged()()
    event = Event.objects.order_by("-id").first()
    own = {name for name in event.changes if name.startswith(CUSTOM)}
    assert event.changes.keys() - own - NAMES.keys() == set()
    assert event.details.keys() - NAMES.keys() - UNSHOWN == set()
    for name, value in event.details.items():
        if name not in NAMED and name not in UNSHOWN:
            assert set(words(value)) <= set(VALUES.get(name, ())), name
    with translation.override("es"):
        shown = {detail.name: detail.value for detail in Shown(event).details}
    told = {name: value for name, value in event.details.items() if name not in UNSHOWN}
    kept = {name for name, value in told.items() if value not in (None, "", [])}
    absent = {"(vacío)", "Nunca", "Sin uso"}
    assert kept == {name for name, text in shown.items() if text not in absent}
    assert "{" not in "".join(shown.values()), "a structure is shown as JSON"


def test_the_words_are_all_that_there_are():
    assert set(VALUES["role"]) == set(roles.ROLES)
    assert set(VALUES["value_type"]) == set(CustomAttribute.Type.values)
    assert set(VALUES["scope"]) == {"installation", "provider"}
    assert set(EMAIL_TYPES) == {"work", "home", "other"}  # RFC 7643 §4.1.2


def test_every_remark_of_the_operations_has_its_text():
    made = set()
    for path in settings.BASE_DIR.glob("*/operations/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict) and ast.unparse(node).startswith("{'remark'"):
                made.add(ast.literal_eval(node.values[0]))
    assert made == set(REMARKS)


@pytest.mark.parametrize(
    ("name", "value", "spanish"),
    [
        ("reason", "credentials", "Nombre o contraseña incorrectos"),
        ("reason", "locked", "Demasiados intentos fallidos"),
        ("role", "administrator", "Administración del sistema"),
        ("scope", "provider", "Cada proveedor de identidades"),
        ("value_type", "dateTime", "Fecha y hora"),
        ("displayName", "administrator", "administrator"),
        ("members_added", {"count": 2, "names": ["Luis"]}, "2: Luis, …"),
        ("emails", [], "(vacío)"),
        ("expires_at", None, "Nunca"),
        ("last_used_at", None, "Sin uso"),
        ("expires_at", "2027-11-25T02:13:05+00:00", "25 nov 2027, 02:13:05"),
        ("reason", "many_names", "Demasiados nombres desde una misma dirección"),
        ("custom", {}, "(vacío)"),
        ("emails", [{"value": "l@x", "type": "work", "primary": True}], "l@x (trabajo, principal)"),
        ("emails", [{"value": "l@x", "display": "l@x"}], "l@x"),
        (
            "remarks",
            [{"remark": "rename_ignored", "value": "0f%luis"}],
            "No se cambió el nombre de usuario a «0f%luis»: se está desactivando al usuario",
        ),
        (
            "remarks",
            [{"remark": "name_regained"}],
            "El nombre de usuario vuelve a encontrar a este usuario",
        ),
        (
            "remarks",
            [{"remark": "name_held"}],
            "El nombre lo tiene ahora otro usuario: no se recuperó",
        ),
        ("remarks", ["userName was not changed."], "userName was not changed."),
        ("remarks", [{"remark": "of a later release"}], '{"remark": "of a later release"}'),
    ],
)
def test_a_value_is_told_in_spanish(name, value, spanish):
    with translation.override("es"):
        assert told(value, name) == spanish
