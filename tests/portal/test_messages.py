"""The Spanish catalogue: complete, nothing doubtful, and the very words of the manual."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from audit.types import Category, EventType, Outcome

CATALOGUE = Path(settings.BASE_DIR) / "locale/es/LC_MESSAGES/django.po"
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


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs GNU gettext")
def test_the_catalogue_holds_every_message_of_the_code(tmp_path):
    """Extract as makemessages does, into a copy, and compare the identifiers."""
    copy = tmp_path / "alta"
    for name in ("audit", "config", "portal", "provisioning", "templates"):
        shutil.copytree(settings.BASE_DIR / name, copy / name)
    (copy / "locale").mkdir()
    options = ["-l", "es", "--no-location", "--no-wrap"]
    command = [sys.executable, "-m", "django", "makemessages", *options]
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    with (copy / "locale/es/LC_MESSAGES/django.po").open("rb") as file:
        found = {(m.context, forms(m.id)[0]) for m in read_po(file) if m.id}
    kept = {(m.context, forms(m.id)[0]) for m in read() if m.id}
    assert found - kept == set(), "run makemessages and translate these"
    assert kept - found == set(), "these are no longer used"


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
