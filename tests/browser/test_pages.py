"""The trail, users, groups and attributes in a real browser: accessible, strict, without script."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from audit import append_only, columns
from audit.evidence import sealing
from audit.models import Event, Job, Pulse
from audit.operations import saved_views, verification
from audit.search import searchable
from provisioning.models import (
    Group,
    LoggedRequest,
    LostRequests,
    Membership,
    Provider,
    User,
)
from provisioning.models.fields import new_id
from provisioning.operations import attributes, tokens
from tests.conftest import MAKER

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective);
});
"""
# axe looks at each row: a few tell as much as fifty.
FEWER_ROWS = {"trail": "?period=24h", "users": "?q=persona0", "group": "?q=persona1"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, admin_page: Any) -> Iterator[Open]:
    """Open a page as an administrator: `open_page("/usuarios/", language="en", theme="dark")`."""
    contexts = []

    def make(
        path: str,
        language: str = "es",
        theme: str = "light",
        width: int = 1280,
        script: bool = True,
        client: Any = admin_page,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale={"es": "es-ES", "en": "en-US"}[language],
            timezone_id="Europe/Madrid",
            java_script_enabled=script,
        )
        contexts.append(context)
        cookies = {
            "alta_session": client.cookies["alta_session"].value,
            "alta_language": language,
            "alta_theme": theme,
        }
        context.add_cookies(
            [{"name": k, "value": v, "url": live_server.url} for k, v in cookies.items()]
        )
        context.add_init_script(VIOLATIONS)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def pages(ana: Any, entra: Any) -> dict[str, str]:
    """A directory with everything that the pages can show; the paths of these pages."""
    tokens.deactivate(entra.token.pk, actor=ana)
    attribute = attributes.add("costCenter", actor=ana)
    provider = Provider.objects.get(key="entra-id")
    people = [
        User(
            provider=provider,
            user_name=f"persona{n:02}@example.com",
            user_name_key=f"persona{n:02}@example.com",
            display_name=f"Persona {n:02}",
            is_active=n % 5 > 0,
            emails=[{"value": f"persona{n:02}@example.com", "type": "work", "primary": True}],
            custom={"costCenter": "CC-1"},
            search=searchable([f"persona{n:02}@example.com"]),
        )
        for n in range(60)
    ]
    User.objects.bulk_create(people)
    leaver = people[0]
    User.objects.filter(pk=leaver.pk).update(
        user_name_key=None, deleted_name_key=leaver.user_name_key, deleted_at=timezone.now()
    )
    group = Group.objects.create(
        provider=provider, display_name="Ventas", display_name_key="ventas", external_id="g-1"
    )
    Membership.objects.bulk_create(
        [Membership(group=group, user=user, display=user.label) for user in people[1:]]
    )
    empty = Group.objects.create(provider=provider, display_name="Vacío", display_name_key="vacío")
    with append_only.lifted(connection):
        Event.objects.bulk_create(
            [
                Event(
                    performed_at=timezone.now() - timedelta(hours=9 * n),
                    type="user.updated",
                    category="user",
                    outcome="failure" if n % 7 == 0 else "success",
                    actor_kind="token",
                    actor_id="1",
                    actor_label="Entra producción",
                    target_kind="user",
                    target_id=str(people[1].pk),
                    target_label="persona01@example.com",
                    provider_kind="entra-id",
                    provider_label="Entra ID",
                    request_id="req-1",
                    ip_address="203.0.113.9",
                    changes={"displayName": ["Persona", "Persona 01"], "active": [True, False]},
                    search=searchable(["persona01@example.com", "azure"]),
                )
                for n in range(70)
            ]
        )
    event = Event.objects.filter(type="user.updated").first()
    assert event is not None
    sealing.seal_all()
    with append_only.lifted(connection):
        Event.objects.filter(pk=event.pk).update(actor_label="somebody else")
    verification.verify_some()
    logged = [
        LoggedRequest.objects.create(
            at=timezone.now(),
            provider_id=provider.pk,
            provider_kind="entra-id",
            provider_label="Entra ID",
            token_id=entra.token.pk,
            token_hint="abcd",
            method=method,
            path=f"/scim/v2/Users/{people[1].pk}?attributes=userName",
            resource_type="User",
            resource_id=people[1].pk,
            name="persona01@example.com",
            name_key="persona01@example.com",
            status=status,
            is_refusal=status >= 400,
            scim_type="mutability" if status == 400 else "",
            reason="immutable" if status == 400 else "",
            detail="userName cannot change." if status == 400 else "",
            duration_us=1_900,
            request_id="req-1",
            user_agent="Azure AD Provisioning/1.0",
            ignored=["title", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"],
            request_size=99,
            reply_size=99,
            request_body='{"Operations": [{"op": "replace", "path": "userName", "value": "x"}]}',
            reply_body='{"status": "400"}',
        )
        for method, status in [("GET", 200), ("PATCH", 400), ("DELETE", 503)] * 3
    ]
    view = saved_views.save("Mis bajas", "f=activity.is.user.deleted", actor=MAKER)
    LostRequests.objects.create(hour=timezone.now(), count=7)
    now = timezone.now()
    Pulse.objects.create(name="beat", at=now - timedelta(minutes=5))
    Pulse.objects.create(name="task:audit.tasks.seal()", succeeded=False, error="OSError: no")
    for state, finished_at in (("waiting", None), ("running", None), ("failed", now)):
        Job.objects.create(
            kind="notice.mail",
            state=state,
            started_at=now,
            finished_at=finished_at,
            error="OSError: no",
        )
    return {
        "requests": reverse("portal:requests"),
        "no requests": f"{reverse('portal:requests')}?q=nobody&refused=1&since=2026-12-01",
        "request": reverse("portal:request", args=[logged[1].pk]),
        "request that failed": reverse("portal:request", args=[logged[2].pk]),
        "trail": reverse("audit:events"),
        "nothing found": f"{reverse('audit:events')}?q=nobody&since=2026-12-01&until=2026-01-01",
        "event": reverse("audit:event", args=[event.pk]),
        "entities": f"{reverse('audit:events')}?view=grouped",
        "all columns": f"{reverse('audit:events')}?cols={','.join(columns.ORDER)}&sort=oldest",
        "chips": f"{reverse('audit:events')}?f=status.is.failure&f=by.contains.x&f=planet.is.x",
        "filter of a word": f"{reverse('audit:add-filter')}?column=status&q=azure",
        "filter of a time": f"{reverse('audit:add-filter')}?column=time",
        "filter of a text": f"{reverse('audit:add-filter')}?column=details",
        "plot": reverse("audit:plot"),
        "view to save": f"{reverse('portal:view-save')}?query=q%3Dazure",
        "saved view": reverse("portal:view-rename", args=[view.pk]),
        "users": reverse("portal:users"),
        "user": reverse("portal:user", args=[people[1].pk]),
        "transfer": reverse("portal:user-transfer", args=[people[1].pk]),
        "deleted user": reverse("portal:user", args=[leaver.pk]),
        "restore": reverse("portal:user-restore", args=[leaver.pk]),
        "erase": reverse("portal:user-erase", args=[leaver.pk]),
        "jobs": reverse("portal:jobs"),
        "groups": reverse("portal:groups"),
        "group": reverse("portal:group", args=[group.pk]),
        "empty group": reverse("portal:group", args=[empty.pk]),
        "attributes": reverse("portal:attributes"),
        "remove attribute": reverse("portal:attribute-remove", args=[attribute.pk]),
    }


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_is_accessible(open_page, pages, language, theme, width):
    page = open_page(pages["trail"], language, theme, width)
    found = {}
    origin = re.match(r"https?://[^/]+", page.url)[0]
    for name, path in pages.items():
        page.goto(origin + path + FEWER_ROWS.get(name, ""))
        for closed in page.locator("details:not([open]) > summary").all()[:3]:
            closed.click()
        result = Axe().run(page, options={"runOnly": RULES})
        found[name] = [
            (violation["id"], violation["nodes"][0]["html"][:200])
            for violation in result.response["violations"]
        ]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} scrolls sideways by {overflow} px"
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_nothing_scrolls_sideways_at_320_pixels(open_page, pages):
    page = open_page(pages["trail"], width=320)
    origin = re.match(r"https?://[^/]+", page.url)[0]
    for name, path in pages.items():
        page.goto(origin + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_long_user_name_breaks(open_page, pages, width):
    user = User.objects.get(user_name="persona02@example.com")
    name = f"{'a' * 90}.{'b' * 60}@{'c' * 63}.example.com"
    User.objects.filter(pk=user.pk).update(user_name=name, display_name="")
    page = open_page(reverse("portal:user", args=[user.pk]), width=width)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    card = page.locator("section:has(#attributes)")
    assert card.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_the_policy_is_never_violated_and_nothing_leaves_the_portal(open_page, pages):
    page = open_page(pages["trail"])
    origin = re.match(r"https?://[^/]+", page.url)[0]
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for path in pages.values():
        page.goto(origin + path)
        for summary in page.locator("details > summary").all()[:2]:
            summary.click()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.violations") == []
    page.goto(origin + pages["trail"])
    page.get_by_label("Buscar").fill("persona")
    page.wait_for_url("**?q=persona")
    assert page.evaluate("window.violations") == []
    assert [url for url in requests if not url.startswith(origin)] == []


def test_filtering_while_typing_changes_the_address_and_back_returns(open_page, pages):
    page = open_page(pages["trail"])
    page.keyboard.press("/")
    expect(page.get_by_label("Buscar")).to_be_focused()
    page.keyboard.type("desactivado")
    page.wait_for_url("**?q=desactivado")
    expect(page.locator("#count")).to_have_text("1 evento")
    expect(page.get_by_label("Buscar")).to_be_focused()
    expect(page.locator("#said")).to_have_text("1 evento")
    search = page.get_by_role("search")
    search.get_by_label("Actividad", exact=True).select_option("token.created")
    page.wait_for_url("**&activity=token.created")
    expect(page.get_by_text("Ningún evento")).to_be_visible()
    page.get_by_role("link", name="Borrar los filtros").last.click()
    expect(page.locator("#count")).to_have_text("75 eventos")
    page.go_back()
    expect(page.locator("#count")).to_have_text("0 eventos")
    page.go_back()
    page.wait_for_url("**?q=desactivado")
    expect(page.locator("#count")).to_have_text("1 evento")
    expect(page.get_by_label("Buscar")).to_have_value("desactivado")


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_row_of_the_trail_is_two_lines_high_at_most(open_page, pages, language):
    page = open_page(pages["trail"], language)
    rows = page.locator(".trail > tbody > tr:not(.detail-row)")
    heights = rows.evaluate_all("(rows) => rows.map((row) => row.offsetHeight)")
    assert len(heights) == 50
    assert max(heights) < 60
    table = page.locator(".table-scroll")
    assert table.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_the_details_open_to_before_and_after(open_page, pages):
    page = open_page(pages["trail"] + "?activity=user.updated")
    row = page.locator(".trail tbody tr").first
    opened = page.locator(".trail tr.detail-row").first
    expect(opened).to_be_hidden()
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(opened.get_by_text("Cambios: antes y después")).to_be_visible()
    expect(opened.locator("ins").first).to_have_text("Persona 01")


def test_the_trail_is_filtered_and_opened_without_script(open_page, pages):
    page = open_page(pages["trail"], script=False)
    page.get_by_label("Buscar").fill("azure")
    page.get_by_role("search").get_by_label("IdP").select_option("Entra ID")
    page.get_by_role("button", name="Filtrar").click()
    expect(page.locator("#count")).to_have_text("72 eventos")  # and two of its token
    page.get_by_role("link", name="Más antiguos").click()
    expect(page.locator(".trail tbody tr").first).to_be_visible()
    assert "q=azure&activity=&idp=entra-id" in page.url or "q=azure&idp=entra-id" in page.url
    page.locator(".trail summary").first.click()
    expect(page.locator("tr.detail-row").first.locator("ins").first).to_be_visible()


def test_an_attribute_is_added_and_removed_without_script(open_page, pages):
    page = open_page(pages["attributes"], script=False)
    page.get_by_label("Nombre", exact=True).fill("9lives")
    page.get_by_role("button", name="Añadir").click()
    expect(page.get_by_role("alert")).to_contain_text("Empiece por una letra")
    page.get_by_label("Nombre", exact=True).fill("badge")
    page.get_by_role("button", name="Añadir").click()
    page.get_by_role("link", name="Quitar badge").click()
    page.get_by_role("button", name="Quitar").click()
    expect(page.get_by_role("link", name="Quitar badge")).to_have_count(0)


def test_a_refused_attribute_has_the_focus_and_a_switch_leads_to_the_list(open_page, pages):
    page = open_page(pages["attributes"])
    page.get_by_label("Nombre", exact=True).fill("9 bad")
    page.get_by_role("button", name="Añadir").click()
    name = page.get_by_label("Nombre", exact=True)
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(re.compile("Empiece por una letra"))
    expect(page.get_by_role("button", name="Copiar URN")).to_be_disabled()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Attributes")


def test_the_full_name_of_an_attribute_grows_while_typing(open_page, pages):
    page = open_page(pages["attributes"])
    name = page.get_by_label("Nombre", exact=True)
    expect(page.get_by_role("button", name="Copiar URN")).to_be_disabled()
    name.press_sequentially("cost")
    expect(page.locator("#urn")).to_have_value(
        "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User:cost"
    )
    expect(page.locator("#id_name_error")).to_be_hidden()
    expect(page.get_by_role("button", name="Copiar URN")).to_be_enabled()
    name.press_sequentially(" €")
    expect(page.locator("#id_name_error")).to_be_visible()
    expect(page.locator("#urn")).to_have_value("")
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("costCenter2")
    expect(page.locator("#id_name_error")).to_be_hidden()


def test_a_deleted_user_is_erased_after_its_name_was_typed(open_page, pages):
    page = open_page(pages["deleted user"])
    page.get_by_role("link", name="Borrar definitivamente").click()
    page.get_by_role("textbox").fill("persona00@example.com")
    page.get_by_role("button", name="Borrar definitivamente").click()
    expect(page.get_by_role("status").first).to_contain_text("definitivamente")
    assert not User.objects.filter(user_name="persona00@example.com").exists()


def test_renaming_is_allowed_without_script(open_page, pages):
    page = open_page(reverse("portal:tokens") + "?idp=okta", script=False)
    page.get_by_role("button", name="Permitir renombrar").click()
    expect(page.get_by_role("status").first).to_contain_text("Okta ya puede renombrar")
    expect(page.get_by_role("button", name="No permitir renombrar")).to_be_visible()


def test_a_user_is_transferred_without_script(open_page, pages):
    page = open_page(pages["user"], script=False)
    page.get_by_role("link", name="Transferir a otro IdP").click()
    page.get_by_role("button", name="Transferir").click()
    expect(page.get_by_role("alert")).to_have_text("Seleccione el proveedor de identidades.")
    page.get_by_label("Nuevo proveedor de identidades (IdP)").select_option("Okta")
    page.get_by_role("button", name="Transferir").click()
    expect(page.get_by_role("status").first).to_contain_text("pertenece ahora a Okta")
    expect(page.get_by_text("En ningún grupo.")).to_be_visible()


def test_members_of_a_group_are_searched_while_typing(open_page, pages):
    page = open_page(pages["group"])
    expect(page.locator("#count")).to_have_text("59 miembros")
    page.get_by_label("Buscar").press_sequentially("persona07")
    expect(page.locator("#count")).to_have_text("1 miembro")


def test_new_requests_are_offered_live_and_never_push_the_reader(open_page, pages):
    page = open_page(pages["requests"])
    live = page.get_by_role("button", name="En vivo")
    expect(live).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-live-news]")).to_be_hidden()
    row = LoggedRequest.objects.first()
    assert row is not None
    row.pk, row.name = new_id(), "recien.llegada@example.com"
    row.save(force_insert=True)
    live.click()
    expect(page.get_by_role("button", name="Pausar")).to_have_attribute("aria-pressed", "true")
    news = page.get_by_role("link", name="1 nueva")
    expect(news).to_be_visible()
    expect(page.get_by_text("recien.llegada")).to_have_count(0)
    news.click()
    expect(page.locator(".requests tbody tr").first).to_contain_text("recien.")
    expect(page.locator("[data-live-news]")).to_be_hidden()
    page.get_by_role("button", name="Pausar").click()
    expect(page.get_by_role("button", name="En vivo")).to_be_visible()


def test_a_refusal_is_found_and_explained_without_script(open_page, pages):
    page = open_page(pages["requests"], script=False)
    expect(page.get_by_role("button", name="En vivo")).to_be_hidden()
    page.get_by_role("link", name="Solo errores").click()
    expect(page.locator("#count")).to_have_text("6 peticiones")
    page.get_by_label("Nombre o id.").fill("persona01")
    page.get_by_label("Estado").select_option("400")
    page.get_by_role("button", name="Filtrar").click()
    expect(page.locator("#count")).to_have_text("3 peticiones")
    page.locator(".requests tbody a").first.click()
    expect(page.get_by_text("Qué hacer en Entra ID")).to_be_visible()
    expect(page.locator("#curl")).to_have_value(re.compile("Bearer \\$SCIM_TOKEN"))


def test_a_filter_is_added_where_one_stands_and_taken_away_again(open_page, pages):
    page = open_page(pages["trail"] + "?q=azure")
    page.get_by_role("button", name="Añadir un filtro").click()
    page.get_by_role("menuitem", name="Estado").or_(page.get_by_role("link", name="Estado")).click()
    form = page.get_by_role("form", name="Añadir un filtro")
    expect(form.get_by_label("Estado")).to_be_focused()
    form.get_by_label("Rechazado").check()
    form.get_by_role("button", name="Filtrar").click()
    page.wait_for_url("**?q=azure&f=status.is.failure")
    expect(page.locator("#count")).to_have_text("10 eventos")
    expect(page.locator(".plot")).to_be_visible()
    page.get_by_role("link", name=re.compile("Estado es Rechazado")).click()
    page.wait_for_url("**?q=azure")


def test_a_filter_is_added_and_the_columns_are_chosen_without_script(open_page, pages):
    page = open_page(pages["trail"], script=False)
    page.get_by_role("button", name="Añadir un filtro").click()
    page.locator("#add-filter").get_by_text("Dirección", exact=True).click()
    page.get_by_label("Dirección").select_option("está en la red")
    page.get_by_label("Valor").fill("203.0.113.0/24")
    page.get_by_role("button", name="Filtrar").click()
    expect(page.locator("#count")).to_have_text("0 eventos")  # their words lack the address
    page.get_by_role("link", name="Borrar los filtros").last.click()
    page.locator(".columns > summary").click()
    page.locator(".columns").get_by_label("Programa").check()
    page.locator(".columns").get_by_label("Detalles").uncheck()
    page.locator(".columns").get_by_role("button", name="Mostrar").click()
    expect(page.get_by_role("columnheader", name="Programa")).to_be_visible()
    page.goto(page.url.partition("?")[0])
    expect(page.get_by_role("columnheader", name="Programa")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Detalles")).to_have_count(0)
    page.get_by_role("link", name="Eventos en el tiempo").click()
    expect(page.locator(".plot")).to_be_visible()


def test_entities_lead_to_their_history_and_events_to_their_neighbours(open_page, pages):
    page = open_page(pages["entities"])
    page.get_by_role("link", name="persona01@example.com").click()
    expect(page.locator("#count")).to_have_text("70 eventos")
    page.locator(".trail tbody a.plain").first.click()
    page.get_by_role("link", name="Su evento anterior").click()
    expect(page.get_by_role("link", name="Su evento siguiente")).to_be_visible()


def test_new_events_are_offered_live(open_page, pages):
    page = open_page(pages["trail"])
    page.get_by_role("button", name="En vivo").click()
    saved_views.save("Recién guardada", "q=x", actor=MAKER)
    news = page.get_by_role("link", name="1 nuevo")
    expect(news).to_be_visible(timeout=10_000)
    news.click()
    expect(page.locator(".trail tbody tr").first).to_contain_text("Recién guardada")


def test_a_view_is_saved_under_a_name_and_offered(open_page, pages):
    page = open_page(pages["trail"] + "?q=azure")
    page.get_by_role("link", name="Guardar esta vista").click()
    page.get_by_label("Nombre").fill("Todo de Azure")
    page.get_by_role("button", name="Guardar", exact=True).click()
    page.wait_for_url("**?q=azure")
    page.get_by_role("button", name="Vistas").click()
    page.locator("#views").get_by_text("Todo de Azure", exact=True).click()
    page.wait_for_url("**?q=azure")
