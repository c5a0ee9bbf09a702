"""The texts that people see: which ones the sources ask for, and which ones lack a translation."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Message as CatalogMessage
from babel.messages import pofile
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

SOURCE_LANGUAGE = "en"  # the texts in the sources
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
TEXT = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
IN_TEMPLATES = re.compile(
    rf"(?<!\w)_\({TEXT}\)"
    rf"|(?<![np])gettext\({TEXT}\)"
    rf"|(?<!p)ngettext\({TEXT}"
    rf"|(?<!n)pgettext\({TEXT},\s*{TEXT}"
)
APPS = ("config", "audit", "provisioning", "portal")
Message = tuple[str, str]  # context, text


def asked_for() -> dict[Message, str]:
    """Return every text of the sources with the file that asks for it."""
    found: dict[Message, str] = {}
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for message in _in_python(path):
                found.setdefault(message, str(path.relative_to(settings.BASE_DIR)))
    for folder in _template_folders():
        for path in sorted(folder.rglob("*.*")):
            for message in _in_template(path.read_text(encoding="utf-8")):
                found.setdefault(message, str(path.relative_to(settings.BASE_DIR)))
    return found


def _template_folders() -> list[Path]:
    folders: Any = settings.TEMPLATES[0]["DIRS"]
    return [Path(folder) for folder in folders]


def _in_python(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        for _, text, _, context in extract("python", file, keywords=KEYWORDS):
            yield context or "", text if isinstance(text, str) else text[0]


def _in_template(source: str) -> Iterator[Message]:
    for match in IN_TEMPLATES.finditer(templatize(source)):
        texts = [str(ast.literal_eval(text)) for text in match.groups() if text]
        yield (texts[0], texts[1]) if len(texts) == 2 else ("", texts[0])


def problems() -> list[str]:
    """Return what is wrong with the translations, a sentence each."""
    wanted = asked_for()
    languages = [code for code, _ in settings.LANGUAGES if code != SOURCE_LANGUAGE]
    return [problem for code in languages for problem in _problems_of(code, wanted)]


def _plural_forms(message: CatalogMessage) -> list[str]:
    forms = message.string or ""
    return [forms] if isinstance(forms, str) else list(forms)


def _problems_of(language: str, wanted: dict[Message, str]) -> Iterator[str]:
    present: set[Message] = set()
    for folder in settings.LOCALE_PATHS:
        for path in sorted(Path(folder, language, "LC_MESSAGES").glob("django.po")):
            with path.open("rb") as file:
                catalog = pofile.read_po(file, locale=language)
            for message in catalog:
                if not message.id:
                    continue
                text = message.id if isinstance(message.id, str) else message.id[0]
                key = (message.context or "", text)
                if message.fuzzy:
                    yield f"{language}: fuzzy: {text!r}"
                elif all(_plural_forms(message)):
                    present.add(key)
                if key not in wanted:
                    yield f"{language}: no source asks for {text!r}"
    for key, source in wanted.items():
        if key not in present:
            yield f"{language}: not translated: {key[1]!r} ({source})"
