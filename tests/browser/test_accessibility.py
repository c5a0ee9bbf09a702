"""Every state of the tokens page and its neighbours: axe, narrow windows, keyboard, policy."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from provisioning.models import ExpiryNotice, Token
from provisioning.operations import tokens
from tests.browser.conftest import Visit
from tests.conftest import Idp, Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOKENS = reverse("portal:tokens")
ENTRA = f"{TOKENS}?idp=entra-id"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Open = Callable[..., Visit]


@pytest.fixture
def busy(entra: Idp) -> Token:
    """Entra's token: renewed, in use, and near its end, so that the page shows all it can."""
    tokens.renew(entra.token.pk, actor=tokens.SYSTEM, overlap_h=24)
    now = timezone.now()
    end = now + timedelta(days=6, hours=2)
    Token.objects.update(
        expires_at=end, last_used_at=now, last_used_ip="203.0.113.9", last_used_agent="Azure"
    )
    ExpiryNotice.objects.create(token=entra.token, days=7, expires_at=end)
    return Token.objects.get()


def check(page: Page, where: str) -> None:
    """Ask axe, which must find nothing."""
    found: dict[str, Any] = (
        Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]}).response
    )
    problems = [
        f"{where}: {violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]
    assert problems == []


def fits(page: Page) -> bool:
    """Return whether the page needs no horizontal scrolling."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_axe_finds_nothing_in_any_state(
    visit: Open, ana: Person, busy: Token, language: str, theme: str, width: int
) -> None:
    window = visit(ana, language=language, theme=theme, width=width)
    page = window.open(ENTRA)
    check(page, "table")
    page.locator("#tokens details summary").click()
    page.locator("#tokens [data-menu]").click()
    check(page, "menu")
    page.keyboard.press("Escape")
    page.locator("[data-menu][popovertarget=account-menu]").click()
    check(page, "account")
    page.keyboard.press("Escape")
    if width == 390:
        page.locator(".top > .only-narrow").click()
        check(page, "navigation")
        page.keyboard.press("Escape")
    page.locator("#tokens .primary").first.click()
    check(page, "generate")
    page.keyboard.press("Escape")
    for action in ("deactivate", "renew", "remove"):
        page.locator("#tokens [data-menu]").click()
        page.locator(f".menu:popover-open [data-opens={action}-{busy.pk}]").click()
        check(page, action)
        page.keyboard.press("Escape")
    page.locator("#tokens .primary").first.click()
    page.locator("#generate .primary").click()
    page.locator("#token").wait_for()
    check(page, "issued")
    for path in (TOKENS, "/ayuda/", "/cuenta/clave/", "/no-such-page"):
        check(window.open(path), path)
    page.context.clear_cookies(name="alta_session")
    page.goto(f"{window.url}/entrar/")
    check(page, "sign-in")
    page.locator("main .primary").click()
    expect(page.get_by_role("alert")).to_be_focused()
    check(page, "sign-in refused")


@pytest.mark.parametrize("path", [ENTRA, TOKENS, "/ayuda/", "/cuenta/clave/", "/nada", "generar"])
def test_a_window_of_320_px_needs_no_horizontal_scrolling(
    visit: Open, ana: Person, busy: Token, path: str
) -> None:
    path = f"{TOKENS}generar/?idp=okta" if path == "generar" else path
    page = visit(ana, width=320).open(path)
    assert fits(page)
    if path == ENTRA:
        page.locator("#tokens details summary").click()
        assert fits(page)
        page.locator("#tokens .primary").first.click()
        box = page.locator("#generate").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        page.locator("#generate .primary").click()
        page.locator("#token").wait_for()
        assert fits(page)
        assert page.evaluate("token.scrollHeight <= token.clientHeight + 1"), "the whole token"


def test_targets_are_large_enough(visit: Open, ana: Person, busy: Token) -> None:
    page = visit(ana).open(ENTRA)
    page.locator("#tokens [data-menu]").click()
    sizes = page.evaluate(
        """[...document.querySelectorAll("a, button, select, summary, input:not([type=hidden])")]
        .filter((e) => e.checkVisibility() && !e.closest(".skip-link, p"))
        .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
        .map(([html, box]) => [html, box.width, box.height])"""
    )
    assert len(sizes) > 15
    assert [size for size in sizes if min(size[1:]) < 24] == []
    for box in page.locator(".button.primary").all():
        shown = box.bounding_box()
        assert shown is None or shown["height"] >= 38


def test_the_keyboard_is_enough(visit: Open, ana: Person, busy: Token) -> None:
    page = visit(ana).open(ENTRA)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()

    opener = page.locator("#tokens [data-menu]")
    opener.focus()
    page.keyboard.press("Enter")
    items = page.locator(".menu:popover-open .menu-item:enabled")
    expect(items.first).to_be_focused()
    page.keyboard.press("End")
    expect(items.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("Home")
    expect(items.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")

    opener.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()

    generate = page.get_by_role("button", name="Generar")
    generate.press("Enter")
    expect(dialog.get_by_label("Nombre")).to_be_focused()
    outline = dialog.get_by_label("Nombre").evaluate("(e) => getComputedStyle(e).outlineWidth")
    assert outline == "3px"
    dialog.get_by_role("button", name="Cancelar").press("Enter")
    expect(generate).to_be_focused()


def test_generate_says_why_it_is_disabled(visit: Open, ana: Person, entra: Idp, okta: Idp) -> None:
    page = visit(ana).open(ENTRA)
    button = page.get_by_role("button", name="Generar")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_accessible_description(
        "Pueden existir como máximo 2 tokens en esta instalación. Quite uno para generar otro."
    )
    colours = "(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    at_rest = button.evaluate(colours)
    button.hover(force=True)
    page.wait_for_timeout(300)  # longer than the transition of a colour
    assert button.evaluate(colours) == at_rest
    button.dispatch_event("click")
    expect(page.get_by_role("status").filter(has_text="como máximo 2 tokens")).to_have_count(1)
    assert page.url.endswith(ENTRA)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_nothing_moves_for_those_who_ask(visit: Open, ana: Person) -> None:
    window = visit(ana)
    window.page.emulate_media(reduced_motion="reduce")
    page = window.open(ENTRA)
    moving = page.evaluate(
        """[...document.querySelectorAll("*")]
        .map((e) => getComputedStyle(e).transitionDuration)
        .filter((duration) => !/^0s(, 0s)*$/.test(duration))"""
    )
    assert moving == []


def test_the_theme_and_the_language_are_kept(visit: Open, ana: Person) -> None:
    page = visit(ana).open(f"{ENTRA}&from=somewhere")
    page.get_by_role("button", name="Oscuro").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.endswith(f"{ENTRA}&from=somewhere")
    background = page.locator("body").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert background == "rgb(14, 17, 24)"
    expect(page.get_by_text("Time zone:")).to_have_count(0)


def test_no_state_breaks_the_policy_or_calls_elsewhere(
    visit: Open, ana: Person, busy: Token
) -> None:
    window = visit(ana, width=390)
    page = window.open(ENTRA)
    page.locator(".top > .only-narrow").click()
    page.keyboard.press("Escape")
    page.locator("#tokens [data-menu]").click()
    page.locator(f".menu:popover-open [data-opens=renew-{busy.pk}]").click()
    page.get_by_role("dialog").get_by_role("button", name="Renovar").click()
    page.locator("#token").wait_for()
    page.get_by_role("button", name="Copiar Token SCIM").click()
    page.get_by_role("link", name="Ya los he guardado").click()
    page.get_by_label("Proveedor de identidades (IdP)").select_option("Okta")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Okta")
    for path in ("/ayuda/", "/cuenta/clave/", "/no-such-page", reverse("audit:events")):
        window.open(path)
    assert (window.violations, window.errors, window.foreign) == ([], [], [])


def test_a_broken_policy_would_be_noticed(visit: Open, ana: Person) -> None:
    window = visit(ana)
    page = window.open(ENTRA)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(200)
    assert len(window.violations) == 1
