"""What every page shares: layout, language, theme, clock, menu, refusals, error pages."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import lucide
import pytest
from django.conf import settings
from django.db import OperationalError
from django.template import Context, Template
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone, translation

from audit.models import Event, Job, SavedView
from audit.operations import saved_views
from audit.types import EventType
from portal import navigation
from portal.models import Account
from provisioning.models import (
    CustomAttribute,
    Group,
    Membership,
    Provider,
    Token,
    TokenSecret,
    User,
)
from provisioning.operations import attributes, users

TEMPLATES = Path(settings.BASE_DIR) / "templates"
TOKENS = reverse("portal:tokens")


def names(menu: list[navigation.Line]) -> list[str]:
    return [str(line.label) for line in menu] + [
        name for line in menu for name in names(line.children)
    ]


def test_the_menu_shows_what_the_viewer_may_open_and_only_what_works(ana, eva):
    for person in (ana, eva):
        shown = names(navigation.menu_for(person.account, "portal:token-renew"))
        assert {"Aprovisionamiento de usuarios", "Pruebas de auditoría", "Usuarios"} <= set(shown)
    missing = navigation.Entry("Panel", "portal:nowhere")
    assert navigation._line(missing, ana.account, "") is None


def test_somebody_without_a_role_sees_no_menu(db):
    account = Account.objects.create(username="nadie")
    assert navigation.menu_for(account, "portal:tokens") == []


def test_the_breadcrumb_is_that_of_the_manual(admin_page):
    page = admin_page.get(TOKENS).text
    crumbs = re.search(r'<nav class="crumbs".*?</nav>', page, re.DOTALL)
    assert crumbs is not None
    words = re.findall(r">([^<>\s][^<>]*)<", crumbs[0])
    assert words == ["Administración", "Identidad", "Aprovisionamiento de usuarios"]
    assert crumbs[0].count('aria-current="page"') == 1


def test_the_language_switch_keeps_path_and_query(admin_page):
    page = f"{TOKENS}?idp=okta"
    response = admin_page.post(
        reverse("portal:language"),
        {"language": "en"},
        headers={"Referer": f"http://testserver{page}"},
    )
    assert response["Location"] == page
    english = admin_page.get(page)
    assert '<html lang="en"' in english.text
    assert english["Content-Language"] == "en"
    assert "User provisioning for Okta" in english.text


@pytest.mark.parametrize("name", ["portal:language", "portal:theme"])
@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "//evil.example"])
def test_a_switch_never_leads_to_another_host(client, db, name, elsewhere):
    data = {"language": "en", "theme": "dark", "next": elsewhere}
    response = client.post(reverse(name), data, headers={"Referer": elsewhere})
    assert response["Location"] == reverse("portal:home")


@pytest.mark.parametrize("name", ["portal:language", "portal:theme"])
def test_a_switch_refuses_get_and_forms_from_elsewhere(db, name):
    client = Client(enforce_csrf_checks=True)
    assert client.get(reverse(name)).status_code == 405
    assert client.post(reverse(name), {"language": "en", "theme": "dark"}).status_code == 403


def test_an_unknown_language_or_theme_changes_nothing(client, db):
    assert not client.post(reverse("portal:language"), {"language": "tlh"}).cookies
    assert not client.post(reverse("portal:theme"), {"theme": "<script>"}).cookies


def test_the_browser_s_own_languages_do_not_decide(client, db):
    page = client.get(reverse("portal:sign-in"), headers={"Accept-Language": "en"})
    assert '<html lang="es"' in page.text


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("pink", "auto"), (None, "auto")])
def test_the_server_renders_the_theme(client, db, cookie, theme):
    if cookie:
        client.cookies["alta_theme"] = cookie
    assert f'data-theme="{theme}"' in client.get(reverse("portal:sign-in")).text


def test_no_page_may_run_or_draw_anything_inline(admin_page):
    response = admin_page.get(f"{TOKENS}?idp=okta")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", response.text)
    assert not re.search(r"(src|href)=.https?:", response.text)


def test_static_files_have_hashed_names(admin_page):
    page = admin_page.get(TOKENS).text
    assert re.search(r"/static/css/base\.[0-9a-f]{12}\.css", page)
    assert re.search(r"/static/js/page\.[0-9a-f]{12}\.js", page)


# Times ------------------------------------------------------------------------------------------

MOMENT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


def draw(text: str, **context: object) -> str:
    return Template(text).render(Context(context))


@pytest.mark.parametrize(
    ("language", "zone", "shown"),
    [
        ("es", "Europe/Madrid", "1 mar 2026, 23:30:00"),
        ("en", "America/New_York", "Mar 1, 2026, 5:30:00\u202fPM"),
        ("es", "UTC", "1 mar 2026, 22:30:00"),
    ],
)
def test_a_moment_is_in_the_viewer_s_language_and_zone(language, zone, shown):
    with translation.override(language), timezone.override(zone):
        html = draw('{% moment at "exact" %}', at=MOMENT)
    assert f">{shown}</time>" in html
    assert 'datetime="2026-03-01T22:30:00+00:00"' in html


def test_a_relative_time_carries_the_exact_one(time_machine):
    time_machine.move_to(MOMENT + timedelta(minutes=4), tick=False)
    with translation.override("es"), timezone.override("Europe/Madrid"):
        html = draw("{% moment at %}", at=MOMENT)
    assert 'title="1 mar 2026, 23:30:00"' in html
    assert ">hace 4 minutos</time>" in html


@pytest.mark.parametrize(
    ("distance", "shown"),
    [
        (timedelta(seconds=-20), "ahora mismo"),
        (timedelta(hours=-3), "hace 3 horas"),
        (timedelta(days=-13, hours=-1), "hace 13 días"),
        (timedelta(days=6, hours=3), "dentro de 6 días"),
        (timedelta(days=364, hours=20), "dentro de 1 año"),
    ],
)
def test_how_long_ago_or_ahead_is_said_in_words(time_machine, distance, shown):
    time_machine.move_to(MOMENT, tick=False)
    with translation.override("es"):
        assert f">{shown}</time>" in draw("{% moment at %}", at=MOMENT + distance)


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [("Europe/Madrid", "Madrid, UTC+"), ("../../etc/passwd", "UTC"), ("Nowhere/City", "UTC")],
)
def test_the_time_zone_cookie_is_honoured_when_it_names_a_zone(admin_page, entra, cookie, shown):
    admin_page.cookies["alta_time_zone"] = cookie
    assert f"Zona horaria: {shown}" in admin_page.get(TOKENS).text


# Forms -----------------------------------------------------------------------------------------


def test_the_browser_never_says_in_its_own_language_what_is_missing():
    for path in TEMPLATES.rglob("*.html"):
        for form in re.findall(
            r"<form[^>]*method=\"post\"[^>]*>.*?</form>", path.read_text(), re.DOTALL
        ):
            asks = re.search(r"\brequired\b|components/confirmation", form)
            assert not asks or "novalidate" in form.split(">")[0], path


# Icons ------------------------------------------------------------------------------------------


def test_every_icon_in_use_exists():
    used = {entry.icon for section in navigation.MENU for entry in section.children if entry.icon}
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"""(?:\bicon |icon_name=)["']([\w-]+)["']""", text))
    assert len(used) > 15
    for name in used:
        try:
            html = draw("{% icon name %}", name=name)
        except lucide.IconDoesNotExist:
            pytest.fail(f"there is no icon {name}")
        assert 'aria-hidden="true"' in html


# Refusals ---------------------------------------------------------------------------------------


def portal_patterns() -> list[URLPattern]:
    """Return every portal route."""
    parts = get_resolver().url_patterns
    return list(next(p for p in parts if getattr(p, "app_name", "") == "portal").url_patterns)


def portal_routes() -> list[str]:
    """Return the paths of every portal route, its identifiers filled in."""
    some_id = "00000000-0000-7000-8000-000000000000"
    paths = [re.sub(r"<int:\w+>", "1", str(pattern.pattern)) for pattern in portal_patterns()]
    return ["/" + re.sub(r"<\w+:\w+>", some_id, path) for path in paths]


OPEN = {"/entrar/", "/salir/", "/idioma/", "/apariencia/", "/ayuda/"}


@pytest.mark.parametrize("path", [path for path in portal_routes() if path not in OPEN])
def test_every_page_asks_for_the_sign_in(client, db, path):
    for method in ("GET", "POST"):
        response = client.generic(method, path)
        assert response.status_code in (302, 405), path
        if response.status_code == 302:
            assert response["Location"].startswith("/entrar/")


@pytest.mark.parametrize("path", portal_routes())
def test_every_post_needs_its_csrf_token(ana, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(path)
    assert response.status_code in (403, 405), path


# What anybody who has signed in may send: about themselves and their browser.
FOR_EVERYBODY = {"sign-in", "sign-out", "language", "theme", "password-change"}
# What whoever may read the trail may send: an auditor exports too.
FOR_READERS = {"export-ask"}
STATE = (
    Token, TokenSecret, User, Group, Membership, CustomAttribute, Provider, Account, Job, SavedView,
)  # fmt: skip


def test_every_post_refuses_who_lacks_the_permission(
    auditor_page, ana, entra, luis, provisioned, grouped
):
    grouped(entra, "Ventas", luis)
    leaver = provisioned(entra, "leaver@example.com")
    users.delete(leaver.pk, provider=entra.provider, actor=ana)
    ids = {
        "token_id": entra.token.pk,
        "export_id": entra.token.pk,
        "provider_id": entra.provider.pk,
        "attribute_id": attributes.add("badge", actor=ana).pk,
        "group_id": Group.objects.get().pk,
        "logged_id": UUID(int=1),
        "job_id": Job.objects.create(kind="tests", state="failed", finished_at=timezone.now()).pk,
        "view_id": saved_views.save("Bajas", "", actor=ana).pk,
    }
    sent = {
        "token-generate": {"name": "x", "lifetime": "365"},
        "token-renew": {"overlap": "0"},
        "token-remove": {"confirmation": entra.token.name},
        "provider-configure": {"allow_rename": "yes"},
        "attribute-add": {"name": "other", "type": "string"},
        "attribute-remove": {"confirmation": "badge"},
        "view-save": {"name": "Altas"},
        "view-rename": {"name": "Altas"},
        "view-delete": {},
        "user-transfer": {"idp": "okta"},
        "user-erase": {"confirmation": leaver.user_name},
    }

    def state():
        return [list(model.objects.order_by("pk").values()) for model in STATE]

    before, refused = state(), set()
    for pattern in portal_patterns():
        if pattern.name in FOR_EVERYBODY | FOR_READERS:
            continue
        ids["user_id"] = (luis if pattern.name == "user-transfer" else leaver).pk
        wanted = {name: ids[name] for name in pattern.pattern.converters}
        path = reverse(f"portal:{pattern.name}", kwargs=wanted)
        events = Event.objects.count()
        response = auditor_page.post(f"{path}?idp=entra-id", sent.get(pattern.name, {}))
        if response.status_code == 405:  # a page that is only read
            assert response["Allow"] == "GET, HEAD", path
            continue
        assert response.status_code == 403, path
        event = Event.objects.order_by("-pk")[0]
        assert Event.objects.count() == events + 1, path
        assert (event.type, event.actor_label) == (EventType.ROLE_REFUSED.key, "eva")
        assert event.details == {"method": "POST", "path": path}
        refused.add(pattern.name)
    assert state() == before
    without_fields = {"token-activate", "token-deactivate", "user-restore"}
    assert refused >= set(sent) | without_fields | {"job-retry", "job-discard"}


def test_a_refusal_of_a_role_is_one_event_with_method_and_path(auditor_page, entra):
    path = reverse("portal:token-deactivate", args=[entra.token.pk])
    before = Event.objects.count()
    response = auditor_page.post(path)
    assert response.status_code == 403
    assert "No puede hacer esto" in response.text
    assert Event.objects.count() == before + 1
    event = Event.objects.get(type=EventType.ROLE_REFUSED.key)
    assert (event.actor_label, event.outcome) == ("eva", "failure")
    assert event.details == {"method": "POST", "path": path}
    assert event.request_id == response["X-Request-ID"]
    entra.token.refresh_from_db()
    assert entra.token.is_active


def test_an_htmx_request_without_a_session_reloads_the_whole_page_at_the_sign_in(client, entra):
    response = client.post(
        reverse("portal:token-deactivate", args=[entra.token.pk]),
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{TOKENS}?idp=okta"},
    )
    assert response["HX-Redirect"] == (
        "/entrar/?next=/administracion/identidad/aprovisionamiento/%3Fidp%3Dokta"
    )


# Errors -----------------------------------------------------------------------------------------


def test_an_unknown_page_is_ours_with_the_request_id(client, db):
    response = client.get("/no-such-page", headers={"X-Request-ID": "abc-123"})
    assert response.status_code == 404
    assert "Aquí no hay nada" in response.text
    assert "abc-123" in response.text
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "There is nothing here" in client.get("/no-such-page").text


def test_a_foreign_host_is_400(client, db):
    response = client.get("/entrar/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "La petición no es válida" in response.text


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("es", "Esta dirección no se puede usar así"),
        ("en", "This address cannot be used like that"),
    ],
)
def test_a_refused_method_is_a_page_that_names_those_that_are_allowed(
    admin_page, entra, language, title
):
    admin_page.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for method, path, allowed in (
        ("get", reverse("portal:token-activate", args=[entra.token.pk]), "POST"),
        ("get", reverse("portal:theme"), "POST"),
        ("post", reverse("portal:users"), "GET, HEAD"),
        ("post", reverse("audit:events"), "GET, HEAD"),
    ):
        response = getattr(admin_page, method)(path)
        assert (response.status_code, response["Allow"]) == (405, allowed), path
        assert f"<h1>{title}</h1>" in response.text
        assert response["X-Request-ID"] in response.text


def test_a_health_check_and_scim_keep_their_own_405(client, scim):
    assert client.post("/health/live").json() == {"status": "Method Not Allowed"}
    assert scim.post("/Schemas", {})["Content-Type"].startswith("application/scim+json")


def test_who_is_signed_in_keeps_the_navigation_where_there_is_nothing(
    admin_page, auditor_page, client, entra
):
    forged = reverse("portal:token-activate", args=[entra.token.pk])
    for response in (admin_page.get("/no-such-page"), auditor_page.post(forged)):
        assert response.status_code in (404, 403)
        assert 'id="navigation"' in response.text
        assert 'id="account-menu"' in response.text
    assert 'id="navigation"' not in client.get("/no-such-page").text


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (OperationalError("could not connect: secret-host"), 503, "Alta no está disponible"),
        (ZeroDivisionError("secret detail"), 500, "Algo ha fallado"),
    ],
)
def test_an_error_page_needs_no_database_and_tells_no_detail(
    monkeypatch, ana, error, status, title
):
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("portal.views.home.render", fail)
    client = Client(raise_request_exception=False)
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(reverse("portal:help"))
    assert response.status_code == status
    assert 'id="navigation"' not in response.text
    assert title in response.text
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert response["X-Request-ID"] in response.text


@pytest.mark.parametrize(
    ("page", "status"),
    [
        (TOKENS, 404),
        (reverse("portal:token-generate"), 404),
        (reverse("portal:users"), 200),
        (reverse("portal:groups"), 200),
        (reverse("audit:events"), 200),
    ],
)
@pytest.mark.parametrize("key", ["%00", "a%00", "%C3%B1", "%20"])
def test_an_idp_that_cannot_be_is_no_error(admin_page, page, status, key):
    assert admin_page.get(f"{page}?idp={key}").status_code == status
