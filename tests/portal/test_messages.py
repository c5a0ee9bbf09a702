"""The Spanish catalogue: complete, nothing doubtful, and the very words of the manual."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

from audit.types import Category, EventType, Outcome

CATALOGUE = Path(settings.BASE_DIR) / "locale/es/LC_MESSAGES/django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"(?:_|n?p?gettext)\(\s*{STRING}(?:\s*,\s*(?:{STRING}|count))*\s*\)")
PLACE = re.compile(r"%\(\w+\)[sd]")


def read() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="es")


def forms(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def is_translated(message: Message) -> bool:
    return not message.fuzzy and all(forms(message.string))


def test_every_message_is_translated_and_none_is_fuzzy():
    assert [m.id for m in read() if m.id and not is_translated(m)] == []


def test_every_translation_keeps_the_places_of_its_values():
    for message in read():
        if message.id:
            wanted = set(PLACE.findall(forms(message.id)[-1]))
            for text in forms(message.string):
                assert set(PLACE.findall(text)) <= wanted, message.id
            assert set(PLACE.findall(forms(message.string)[-1])) == wanted, message.id


def test_the_header_says_language_and_plurals():
    head = CATALOGUE.read_text(encoding="utf-8").split("\n\n")[0]
    assert "Language: es" in head
    assert "Plural-Forms: nplurals=2; plural=(n != 1);" in head


def in_the_code() -> set[tuple[str | None, str]]:
    """Return (context, identifier) of every message that the code and the templates ask for."""
    found = set()
    keywords = KEYWORDS | {f"{name}_lazy": places for name, places in KEYWORDS.items()}
    for folder in ("audit", "config", "portal", "provisioning", "templates"):
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.*")):
            if path.suffix not in (".py", ".html", ".txt") or "migrations" in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            if path.suffix != ".py":  # what is not a message becomes an X: keep the calls only
                lines = templatize(text).splitlines()
                text = "\n".join(call for line in lines for call in CALL.findall(line))
            for _, message, _, context in extract("python", BytesIO(text.encode()), keywords):
                identifier = message if isinstance(message, str) else message[0]
                found.add((context, identifier))
    return found


def test_the_catalogue_holds_every_message_and_nothing_else():
    kept = {(m.context, forms(m.id)[0]) for m in read() if m.id}
    assert in_the_code() - kept == set(), "run makemessages and translate these"
    assert kept - in_the_code() == set(), "these are no longer used"


MANUAL = {
    EventType.TOKEN_CREATED: ("Token SCIM creado", "se ha creado un token SCIM"),
    EventType.TOKEN_ACTIVATED: ("Token SCIM activado", "se ha activado el token SCIM"),
    EventType.TOKEN_DEACTIVATED: ("Token SCIM desactivado", "se ha desactivado el token SCIM"),
    EventType.TOKEN_RENEWED: ("Token SCIM Renovado", "se ha renovado el token SCIM"),
    EventType.TOKEN_REMOVED: ("Token SCIM eliminado", "se ha eliminado el token SCIM"),
}


@pytest.mark.parametrize("type", MANUAL)
def test_the_token_events_are_those_of_the_manual_letter_for_letter(type):
    with translation.override("es"):
        assert (str(type.label), str(type.explanation)) == MANUAL[type]


def test_every_event_has_its_own_spanish_name():
    with translation.override("es"):
        spanish = [str(item.label) for item in (*EventType, *Category, *Outcome)]
    with translation.override("en"):
        english = [str(item.label) for item in (*EventType, *Category, *Outcome)]
    assert all(a != b for a, b in zip(spanish, english, strict=True))


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("User provisioning", "Aprovisionamiento de usuarios"),
        ("Select identity provider (IdP)", "Seleccione Proveedor de identidades (IdP)"),
        ("Generate", "Generar"),
        ("Copy", "Copiar"),
        ("Select", "Seleccionar"),
        ("Token status", "Estado del token"),
        ("Target SCIM URL", "URL SCIM de destino"),
        ("Set to Active", "Establecer en Activo"),
        ("Set to Inactive", "Establecer en Inactivo"),
        ("Renew", "Renovar"),
        ("Remove", "Quitar"),
        ("Audit trails", "Pruebas de auditoría"),
        ("Changes, before and after", "Cambios: antes y después"),
        ("Performed by", "Realizado por"),
        ("Performed at", "Realizado en"),
        ("System administrator", "Administración del sistema"),
        ("Read-only auditor", "Auditoría de solo lectura"),
        ("Other (SCIM 2.0)", "Otro (SCIM 2.0)"),
    ],
)
def test_the_portal_s_words_are_those_agreed(english, spanish):
    with translation.override("es"):
        assert translation.gettext(english) == spanish
    with translation.override("en"):
        assert translation.gettext(english) == english
