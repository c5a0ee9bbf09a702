"""«Registro de aprovisionamiento»: what it shows, to whom, and that nothing in it can harm."""

import html
import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from portal.models import Account
from portal.requests import Shown
from provisioning.log import export
from provisioning.log.buffer import LOG
from provisioning.models import LoggedRequest, LostRequests
from tests.conftest import ScimClient

PAGE = reverse("portal:requests")
NEWS = reverse("portal:requests-news")
CUSTOM = "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User"
HOSTILE = "<script>alert(1)</script>\"'><img src=x>{{7*7}}"


@pytest.fixture
def traffic(entra, okta, luis, grouped):
    """What two IdPs did: a change, refusals, reads; the log is written."""
    scim, other = ScimClient(entra.secret), ScimClient(okta.secret)
    user = f"/Users/{luis.pk}"
    operations = [{"op": "replace", "path": p, "value": "Dr."} for p in ("title", "displayName")]
    scim.patch(user, {"Operations": operations}, headers={"X-Request-ID": "req-change"})
    scim.patch(user, {"Operations": [{"op": "replace", "path": "userName", "value": "x"}]})
    other.post("/Users", {"userName": "luis@example.com", "password": "Sesamo-9913"})
    scim.get('/Users?filter=userName eq "nadie@example.com"')
    scim.post(
        "/Bulk",
        {"Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": {}}]},
    )
    LOG.flush()
    return {row.reason or row.request_id or row.path: row for row in LoggedRequest.objects.all()}


def rows_of(page):
    return re.findall(r'<tr(?: class="is-refused")?>\s*<td class="is-main', page)


def test_the_page_tells_what_happened(admin_page, traffic, luis):
    page = admin_page.get(PAGE).text.replace("<wbr>", "")
    assert len(rows_of(page)) == 6
    for words in (
        "Registro de aprovisionamiento", "6 peticiones", "Cambiar un usuario", "Entra ID", "Okta",
        "luis@example.com", "El nombre de usuario no puede cambiar", "mutability",
        "Otro proveedor de identidades tiene este usuario", "0 resultados", "nadie@example.com",
        "Varias operaciones a la vez", "1 atributo ignorado",
    ):  # fmt: skip
        assert words in page, words
    assert reverse("portal:user", args=[luis.pk]) in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("refused=1", 3), ("q=luis", 3), ("q=nadie", 1), ("q=req-change", 1), ("idp=okta", 1),
        ("method=GET", 1), ("status=409", 1), ("status=4xx", 3), ("status=2xx", 3),
        ("type=uniqueness", 1), ("period=1h", 6), ("until=2020-01-01", 0), ("q=nobody", 0),
        ("idp=okta&refused=1&method=POST", 1), ("idp=nobody", 6), ("status=999", 6),
        ("resource=not-an-id", 6), ("since=2999-13-01", 6), ("q=%00", 6), ("cursor=forged", 6),
    ],
)  # fmt: skip
def test_the_filters_are_in_the_address(admin_page, traffic, query, count):
    assert len(rows_of(admin_page.get(f"{PAGE}?{query}").text)) == count


def test_a_link_narrows_to_one_user_and_can_be_taken_back(admin_page, traffic, luis):
    page = admin_page.get(f"{PAGE}?resource={luis.pk}").text
    assert len(rows_of(page)) == 2
    assert "quitar este filtro" in page
    for url in (reverse("portal:user", args=[luis.pk]),):
        assert f"{PAGE}?resource={luis.pk}" in admin_page.get(url).text


def test_a_group_leads_to_its_requests(admin_page, entra, grouped):
    group = grouped(entra, "Ventas")
    page = admin_page.get(reverse("portal:group", args=[group.pk])).text
    assert f"{PAGE}?resource={group.pk}" in page


def test_a_request_is_told_whole(admin_page, traffic, luis):
    row = traffic["req-change"]
    page = admin_page.get(reverse("portal:request", args=[row.pk])).text.replace("<wbr>", "")
    for words in (
        "Cambiar un usuario: luis@example.com", "Lo que Alta no recogió", "<code>title</code>",
        "Cambios: antes y después", "<del>Luis Pérez</del>", "<ins>Dr.</ins>",
        "req-change", "PATCH", f"/scim/v2/Users/{luis.pk}", "••••••",
    ):  # fmt: skip
        assert words in page, words
    event = Event.objects.get(request_id="req-change")
    assert reverse("audit:event", args=[event.pk]) in page
    assert f"{reverse('audit:events')}?q=req-change" in page
    back = admin_page.get(reverse("audit:event", args=[event.pk])).text
    assert f"{PAGE}?q=req-change" in back


def test_a_refusal_says_what_to_do_in_that_console(admin_page, traffic):
    row = traffic["immutable"]
    page = admin_page.get(reverse("portal:request", args=[row.pk])).text
    assert "Qué hacer en Entra ID" in page
    assert "Solo durante la creación de objetos" in page
    assert "RFC 7644 §3.12" in page
    held = traffic["user_name_held_elsewhere"]
    page = admin_page.get(reverse("portal:request", args=[held.pk])).text
    assert f"{reverse('portal:users')}?q=luis%40example.com" in page
    admin_page.cookies["alta_language"] = "en"
    assert "What to do for Okta" in admin_page.get(reverse("portal:request", args=[held.pk])).text


def test_a_bulk_leads_to_its_operations_and_back(admin_page, traffic):
    whole = LoggedRequest.objects.get(path="/scim/v2/Bulk")
    page = admin_page.get(reverse("portal:request", args=[whole.pk])).text
    assert f"{PAGE}?bulk={whole.pk}" in page
    assert "curl" not in page, "its body is not here"
    assert len(rows_of(admin_page.get(f"{PAGE}?bulk={whole.pk}").text)) == 2


def test_curl_asks_the_same_without_a_token(admin_page, traffic, entra, luis):
    shown = Shown(traffic["req-change"])
    assert shown.curl.startswith("curl -X PATCH ")
    assert "Bearer $SCIM_TOKEN" in shown.curl
    assert entra.secret not in shown.curl
    page = admin_page.get(reverse("portal:request", args=[traffic["req-change"].pk])).text
    assert html.escape(shown.curl) in page
    quoted = LoggedRequest(method="POST", path="/x?a=1&b='$(id)`", request_body='{"a": "it\'s"}')
    assert "'\"'\"'$(id)`'" in Shown(quoted).curl, "the shell runs nothing of it"


def test_what_came_since_is_counted(admin_page, traffic, entra):
    newest = LoggedRequest.objects.first()
    asked = f"{NEWS}?after={newest.pk}"
    assert admin_page.get(asked).json() == {"number": 0, "more": False}
    ScimClient(entra.secret).get("/Users")
    LOG.flush()
    assert admin_page.get(asked).json() == {"number": 1, "more": False}
    assert admin_page.get(f"{asked}&refused=1").json()["number"] == 0
    for forged in ("", "after=x", "after=%00"):
        assert admin_page.get(f"{NEWS}?{forged}").json()["number"] == 0


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_an_export_holds_what_the_filters_show_and_is_recorded(admin_page, traffic, format):
    url = reverse(f"portal:requests-{format}")
    response = admin_page.get(f"{url}?refused=1&idp=entra-id")
    content = b"".join(response.streaming_content).decode()
    assert response.streaming
    assert f'.{format}"' in response["Content-Disposition"]
    lines = content.splitlines()
    assert len(lines) == (3 if format == "csv" else 2)
    assert "immutable" not in content
    assert "mutability" in content
    assert "Sesamo" not in content
    event = Event.objects.get(type="log.exported")
    assert event.details == {"format": format, "filters": ["idp: Entra ID", "refused: 1"]}


def test_an_export_says_its_limit(admin_page, traffic, monkeypatch):
    assert f"{export.MOST:,}".replace(",", ".") in admin_page.get(PAGE).text
    monkeypatch.setattr(export, "MOST", 2)
    response = admin_page.get(reverse("portal:requests-jsonl"))
    assert len(b"".join(response.streaming_content).splitlines()) == 2


def urls(traffic):
    return [
        PAGE, NEWS, reverse("portal:request", args=[traffic["immutable"].pk]),
        reverse("portal:requests-csv"),
    ]  # fmt: skip


def test_auditors_read_it_too(auditor_page, traffic):
    for url in urls(traffic):
        assert auditor_page.get(url).status_code == 200, url


def test_nobody_else_does(client, traffic):
    nobody = Client()
    nobody.force_login(
        Account.objects.create(username="nadie"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    for url in urls(traffic):
        assert client.get(url).status_code == 302, url
        assert nobody.get(url).status_code == 403, url
        assert client.post(url).status_code == 405, url


def test_hostile_values_are_shown_and_do_nothing(admin_page, entra):
    scim = ScimClient(entra.secret)
    scim.post("/Users", {"userName": HOSTILE, HOSTILE: 1, "title": 1})
    scim.post("/Users", {"userName": HOSTILE, "active": HOSTILE}, headers={"User-Agent": HOSTILE})
    scim.get(f"/Users/{HOSTILE}")
    scim.get(f'/Users?filter=userName eq "{HOSTILE}"&{HOSTILE}={HOSTILE}')
    LOG.flush()
    assert LoggedRequest.objects.count() == 4
    pages = [PAGE, *(reverse("portal:request", args=[r.pk]) for r in LoggedRequest.objects.all())]
    for url in pages:
        page = admin_page.get(url).text
        assert "<script>alert" not in page, url
        assert "<img src=x" not in page, url
        assert "49" not in re.sub(r"[0-9a-f-]{12,}|/static/\S+", "", page).split("{{7*7}}")[0][-9:]


def test_a_body_that_is_no_json_any_more_is_shown_as_it_is(admin_page, traffic):
    LoggedRequest.objects.update(request_body="{broken", remarks=["odd", {"remark": "new"}])
    row = traffic["immutable"]
    page = admin_page.get(reverse("portal:request", args=[row.pk])).text
    assert "{broken" in page
    assert "new" in page


def test_what_is_missing_is_said(admin_page, db):
    LostRequests.objects.create(hour=timezone.now(), count=1_234)
    LostRequests.objects.create(hour=timezone.now() - timedelta(days=3), count=7)
    assert "faltan 1.234 peticiones" in admin_page.get(PAGE).text


def test_an_empty_log_says_when_rows_come(admin_page, settings):
    assert "Aún no hay peticiones" in admin_page.get(PAGE).text
    settings.PROVISIONING_LOG = "off"
    assert "PROVISIONING_LOG=off" in admin_page.get(PAGE).text
    assert "Ninguna petición coincide" in admin_page.get(f"{PAGE}?q=x").text


def test_htmx_gets_the_table_with_its_address(admin_page, traffic):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}"}
    response = admin_page.get(f"{PAGE}?q=luis&method=", headers=headers)
    assert response["HX-Push-Url"] == f"{PAGE}?q=luis"
    assert "<html" not in response.text
    assert 'id="results"' in response.text


def test_pages_lead_to_each_other(admin_page, traffic):
    row = LoggedRequest.objects.get(request_id="req-change")
    copies = []
    for n in range(60):
        row.pk = UUID(int=row.pk.int - 1 - n)
        columns = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}
        copies.append(LoggedRequest(**columns))
    LoggedRequest.objects.bulk_create(copies)
    page = admin_page.get(f"{PAGE}?status=2xx").text
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', page)[1])
    assert "status=2xx" in older
    second = admin_page.get(PAGE + older).text
    assert 'rel="prev"' in second
    assert "data-live" not in second.split("<table")[0].partition('id="results"')[2]


def test_another_request_than_there_is_is_404(admin_page, db):
    assert admin_page.get(reverse("portal:request", args=[UUID(int=1)])).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "type", "words"),
    [
        ("GET", "/scim/v2/Users?filter=x", "User", "Buscar usuarios"),
        ("GET", "/scim/v2/Users/", "User", "Listar usuarios"),
        ("HEAD", "/scim/v2/Users/1", "User", "Leer un usuario"),
        ("POST", "/scim/v2/Groups/.search", "Group", "Buscar grupos"),
        ("GET", "/scim/v2/Schemas/urn:x", "", "Leer los esquemas"),
        ("GET", "/scim/v2/ServiceProviderConfig", "", "Leer la configuración del servicio"),
        ("POST", "/scim/v2/.search", "", "Buscar usuarios y grupos"),
        ("GET", "/scim/v2/Usuarios", "", "Otra cosa"),
    ],
)
def test_each_request_has_its_name(method, path, type, words):
    row = LoggedRequest(method=method, path=path, resource_type=type)
    assert str(Shown(row).action) == words


def test_the_json_of_a_row_is_spread_over_lines(traffic):
    shown = json.loads(Shown(traffic["req-change"]).request_body)
    assert [operation["value"] for operation in shown["Operations"]] == ["••••••", "Dr."]
