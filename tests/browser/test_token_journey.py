"""The manual's procedure, step by step, as an administrator does it; and F5 on a shown secret."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.urls import reverse
from playwright.sync_api import Error, Page, Route, expect

from audit.models import Event
from audit.types import EventType
from provisioning.models import Token
from tests.browser.conftest import PASSWORD, Visit
from tests.conftest import Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOKENS = reverse("portal:tokens")
SECRET = re.compile(r"alta_scim_[0-9A-Za-z]{49}")
Open = Callable[..., Visit]


@dataclass(frozen=True)
class Words:
    """What is read and clicked, in one language."""

    user: str
    password: str
    sign_in: str
    section: str
    choose: str
    heading: str
    generate: str
    copy: str
    copied: str
    token: str
    url: str
    table: str
    select: str
    active: str
    inactive: str
    is_active: str
    is_inactive: str
    renew: str
    saved: str
    remove: str
    empty: str
    audit: str
    events: tuple[str, ...]


SPANISH = Words(
    "Usuario", "Contraseña", "Iniciar sesión", "Aprovisionamiento de usuarios",
    "Proveedor de identidades (IdP)", "Aprovisionamiento de usuarios de Entra ID",
    "Generar", "Copiar", "Copiado", "Token SCIM", "URL SCIM de destino", "Estado del token",
    "Seleccionar", "Establecer en Activo", "Establecer en Inactivo", "Activo", "Inactivo",
    "Renovar", "Ya los he guardado", "Quitar", "Entra ID aún no tiene tokens",
    "Pruebas de auditoría",
    ("Token SCIM eliminado", "Token SCIM Renovado", "Token SCIM activado",
     "Token SCIM desactivado", "Token SCIM creado"),
)  # fmt: skip
ENGLISH = Words(
    "User", "Password", "Sign in", "User provisioning", "Identity provider (IdP)",
    "User provisioning for Entra ID", "Generate", "Copy", "Copied", "SCIM token",
    "Target SCIM URL", "Token status", "Select", "Set to Active", "Set to Inactive", "Active",
    "Inactive", "Renew", "I have saved both", "Remove", "Entra ID has no tokens yet",
    "Audit trails",
    ("SCIM token deleted", "SCIM token renewed", "SCIM token activated",
     "SCIM token deactivated", "SCIM token created"),
)  # fmt: skip


@pytest.fixture
def with_password(ana: Person) -> Person:
    ana.account.set_password(PASSWORD)
    ana.account.save()
    return ana


@pytest.mark.parametrize(("language", "words"), [("es", SPANISH), ("en", ENGLISH)])
def test_the_procedure_of_the_manual(
    visit: Open, with_password: Person, language: str, words: Words
) -> None:
    window = visit(language=language)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = window.open("/")

    # 1. Sign in.
    page.get_by_label(words.user, exact=True).fill("ana")
    page.get_by_label(words.password, exact=True).fill(PASSWORD)
    page.get_by_role("button", name=words.sign_in).click()

    # 2. Administration › Identity › User provisioning.
    page.get_by_role("navigation").get_by_role("link", name=words.section).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words.section)

    # 3. Select the identity provider.
    page.get_by_label(words.choose).focus()
    page.get_by_label(words.choose).select_option("Entra ID")
    expect(page.get_by_role("heading", level=1)).to_have_text(words.heading)
    assert page.url.endswith(f"{TOKENS}?idp=entra-id")
    expect(page).to_have_title(f"{words.heading} · Alta")
    expect(page.get_by_label(words.choose)).to_be_focused()

    # 4. Generate, and Generate again in the confirmation: a new page with token and URL.
    page.get_by_role("button", name=words.generate).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=words.generate).click()
    token = page.get_by_label(words.token, exact=True)
    expect(token).to_have_value(SECRET)
    secret = token.input_value()
    expect(page.get_by_label(words.url, exact=True)).to_have_value(re.compile("/scim/v2$"))

    # 5. Copy.
    button = page.get_by_role("button", name=f"{words.copy} {words.token}")
    width = (button.bounding_box() or {})["width"]
    button.click()
    copied = page.get_by_role("button", name=f"{words.copied} {words.token}")
    expect(copied).to_be_visible()
    expect(copied.locator(".icon.done")).to_be_visible()
    expect(button.or_(copied).locator(".icon:not(.done)")).to_be_hidden()
    assert (copied.bounding_box() or {})["width"] == width
    expect(page.get_by_role("status").filter(has_text=words.copied)).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(button).to_be_visible(timeout=4_000)

    # 6. Refresh the page: the table.
    page.reload()
    expect(page.get_by_role("heading", name=words.table)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(words.heading)
    assert secret not in page.content()
    expect(page.get_by_label(words.url, exact=True)).to_be_visible()
    assert Token.objects.count() == 1

    # The four actions.
    badge = page.locator("#tokens tbody .badge")
    choose(page, words, words.inactive)
    expect(badge).to_have_text(words.is_inactive)
    expect(page.get_by_role("button", name=words.select)).to_be_focused()
    choose(page, words, words.active)
    expect(badge).to_have_text(words.is_active)
    choose(page, words, words.renew)
    page.get_by_role("dialog").get_by_role("button", name=words.renew).click()
    expect(token).to_have_value(SECRET)
    assert token.input_value() != secret
    page.get_by_role("link", name=words.saved).click()
    choose(page, words, words.remove)
    page.get_by_role("dialog").get_by_role("button", name=words.remove).click()
    expect(page.get_by_text(words.empty)).to_be_visible()

    # The five events in the audit trails, each naming the identity provider.
    page.get_by_role("navigation").get_by_role("link", name=words.audit).click()
    rows = page.locator("main tbody tr")
    for name in words.events:
        row = rows.filter(has_text=name).first
        expect(row).to_be_visible()
        expect(row).to_contain_text("Entra ID")
    assert Event.objects.filter(category="token").count() == 5
    assert (window.violations, window.errors, window.foreign) == ([], [], [])


def choose(page: Page, words: Words, action: str) -> None:
    page.get_by_role("button", name=words.select).click()
    page.locator(".menu:popover-open").get_by_role("button", name=action).click()


def generate(page: Page) -> str:
    """Generate a token, with or without JavaScript; return its secret."""
    page.get_by_role("button", name="Generar").click()
    page.get_by_role("button", name="Generar").last.click()
    token = page.get_by_label("Token SCIM", exact=True)
    expect(token).to_have_value(SECRET)
    return token.input_value()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_f5_shows_the_table_and_makes_nothing(visit: Open, ana: Person, script: bool) -> None:
    page = visit(ana, script=script).open(f"{TOKENS}?idp=entra-id")
    secret = generate(page)
    for _ in range(3):
        page.reload()
        expect(page.get_by_role("heading", name="Estado del token")).to_be_visible()
        assert secret not in page.content()
    assert Token.objects.count() == 1
    assert Event.objects.filter(type=EventType.TOKEN_CREATED.key).count() == 1


def test_coming_back_never_shows_the_secret_again(visit: Open, ana: Person) -> None:
    page = visit(ana).open(f"{TOKENS}?idp=entra-id")
    secret = generate(page)
    page.get_by_role("link", name="Ya los he guardado").click()
    page.go_back()
    expect(page.get_by_role("heading", name="Estado del token")).to_be_visible()
    assert secret not in page.content()
    assert Token.objects.count() == 1


def test_without_javascript_the_browser_has_nothing_to_come_back_to(
    visit: Open, ana: Person
) -> None:
    page = visit(ana, script=False).open(f"{TOKENS}?idp=entra-id")
    generate(page)
    page.get_by_role("link", name="Ya los he guardado").click()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):  # no-store: it would ask to send again
        page.go_back()
    assert Token.objects.count() == 1


def test_a_double_click_makes_one_token(visit: Open, ana: Person) -> None:
    page = visit(ana).open(f"{TOKENS}?idp=entra-id")
    page.get_by_role("button", name="Generar").click()
    page.get_by_role("dialog").get_by_role("button", name="Generar").dblclick()
    expect(page.get_by_label("URL SCIM de destino")).to_be_visible()
    page.wait_for_load_state()
    assert Token.objects.count() == 1


def test_everything_works_without_javascript(visit: Open, with_password: Person) -> None:
    page = visit(script=False).open(f"{TOKENS}?idp=okta")
    page.get_by_label("Usuario", exact=True).fill("ana")
    page.get_by_label("Contraseña", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Iniciar sesión").click()
    page.get_by_label("Proveedor de identidades (IdP)").select_option("Entra ID")
    page.get_by_role("button", name="Mostrar").click()
    generate(page)
    page.get_by_role("link", name="Ya los he guardado").click()
    choose(page, SPANISH, "Establecer en Inactivo")
    expect(page.locator("#tokens tbody .badge")).to_have_text("Inactivo")
    choose(page, SPANISH, "Renovar")
    page.get_by_label("Dentro de 1 hora").check()
    page.get_by_role("button", name="Renovar").click()
    page.get_by_role("link", name="Ya los he guardado").click()
    expect(page.get_by_text("Renovado; el secreto anterior caduca en")).to_be_visible()
    choose(page, SPANISH, "Quitar")
    page.get_by_role("button", name="Quitar").click()
    expect(page.get_by_text("Entra ID aún no tiene tokens")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("User provisioning for Entra ID")
    page.get_by_role("button", name="ana").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()


def test_an_auditor_finds_nothing_to_click(visit: Open, eva: Person, entra: object) -> None:
    page = visit(eva).open(f"{TOKENS}?idp=entra-id")
    expect(page.get_by_role("heading", name="Estado del token")).to_be_visible()
    for name in ("Generar", "Seleccionar"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_copying_without_a_clipboard_says_which_keys_to_press(
    visit: Open, ana: Person, entra: object
) -> None:
    window = visit(ana)
    window.context.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    page = window.open(f"{TOKENS}?idp=entra-id")
    page.get_by_role("button", name="Copiar").click()
    expect(page.get_by_role("button", name="Pulse Ctrl+C")).to_be_visible()
    assert page.evaluate("getSelection().toString() || document.activeElement.id") in (
        "scim-url",
        page.get_by_label("URL SCIM de destino").input_value(),
    )


def test_a_failed_change_says_so_with_the_request_id(
    visit: Open, ana: Person, entra: object
) -> None:
    page = visit(ana).open(f"{TOKENS}?idp=entra-id")
    page.route(
        "**/desactivar/",
        lambda route: route.fulfill(status=500, headers={"X-Request-ID": "abc-123"}, body="x"),
    )
    choose(page, SPANISH, SPANISH.inactive)
    expect(page.locator("#messages")).to_contain_text("abc-123")
    expect(page.locator("#tokens tbody .badge")).to_have_text("Activo")
    page.unroute("**/desactivar/")
    choose(page, SPANISH, SPANISH.inactive)
    expect(page.locator("#tokens tbody .badge")).to_have_text("Inactivo")
    expect(page.locator("#messages")).not_to_contain_text("abc-123")


def test_a_slow_answer_dims_the_panel_and_is_asked_for_once(
    visit: Open, ana: Person, entra: object
) -> None:
    page = visit(ana).open(f"{TOKENS}?idp=entra-id")
    waiting: list[Route] = []
    page.route("**/desactivar/", lambda route: waiting.append(route))
    choose(page, SPANISH, SPANISH.inactive)
    expect(page.locator("#tokens")).to_have_attribute("aria-busy", "true")
    waiting[0].continue_()
    expect(page.locator("#tokens tbody .badge")).to_have_text("Inactivo")
    expect(page.locator("#tokens")).not_to_have_attribute("aria-busy", "true")
    assert len(waiting) == 1


def test_a_session_that_ended_leads_to_the_sign_in_and_back(
    visit: Open, with_password: Person, entra: object
) -> None:
    window = visit(with_password)
    page = window.open(f"{TOKENS}?idp=entra-id")
    window.context.clear_cookies(name="alta_session")
    choose(page, SPANISH, SPANISH.inactive)
    page.get_by_label("Usuario", exact=True).fill("ana")
    page.get_by_label("Contraseña", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Iniciar sesión").click()
    page.wait_for_url(f"**{TOKENS}?idp=entra-id")
    expect(page.locator("#tokens tbody .badge")).to_have_text("Activo")
