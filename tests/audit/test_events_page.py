"""«Pruebas de auditoría» as an auditor sees it."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from audit.models import PROVIDER_ALIASES, Event
from audit.types import EventType
from audit.words import PROVIDERS
from provisioning.models import Provider
from provisioning.operations import tokens

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAGE = "/auditoria/"
COLUMNS = [
    "Actividad", "Tipo", "Categoría", "Nombre", "Realizado por", "Estado", "Detalles",
    "Realizado en",
]  # fmt: skip


def text_of(client, query="", **more):
    response = client.get(f"{PAGE}{query}", **more)
    assert response.status_code == 200
    return response.content.decode()


def test_the_columns_are_in_the_order_of_the_manual(auditor_page, happened):
    happened()
    head = re.search(
        r'class="table dense trail">\s*<thead>.*?</thead>', text_of(auditor_page), re.DOTALL
    )
    assert head
    assert re.findall(r">([^<>\s][^<>]*)<", head[0]) == COLUMNS
    assert re.search(r'aria-sort="descending"><a href="[^"]*sort=oldest">Realizado en<', head[0])


def test_a_row_says_type_and_category_and_the_second_to_the_second(auditor_page, happened):
    happened(datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC), type="session.started",
             target_kind="account", label="ana")  # fmt: skip
    row = text_of(auditor_page).split("<tbody>")[-1].split("</tr>")[0]
    assert 'Cuenta del portal<span class="muted"> · Acceso</span>' in row
    assert "<span>20 nov 2026</span> <span>02:03:04</span>" in row


def test_who_called_a_command_is_no_system(auditor_page, happened):
    event = happened(actor_kind="system", actor_id="cli:root", actor_label="root (bin/manage)")
    page = auditor_page.get(reverse("audit:event", args=[event.pk])).text
    assert "root (bin/manage) (Línea de comandos)" in page
    assert f'href="{reverse("audit:event", args=[event.pk])}"' not in page, "a link to itself"


def test_the_five_token_events_have_the_manuals_words(auditor_page, ana, entra):
    token = entra.token.pk
    tokens.deactivate(token, actor=ana)
    tokens.activate(token, actor=ana)
    tokens.renew(token, actor=ana)
    tokens.remove(token, actor=ana)
    text = text_of(auditor_page)
    for name, explanation in {
        "Token SCIM creado": "se ha creado un token SCIM",
        "Token SCIM activado": "se ha activado el token SCIM",
        "Token SCIM desactivado": "se ha desactivado el token SCIM",
        "Token SCIM Renovado": "se ha renovado el token SCIM",
        "Token SCIM eliminado": "se ha eliminado el token SCIM",
    }.items():
        assert f">{name}</span>" in text
        assert explanation in text


def test_the_details_name_the_idp_and_the_token(auditor_page, entra):
    text = text_of(auditor_page)
    assert f"<summary>Entra ID · <code>{entra.token.masked}</code></summary>" in text
    assert entra.secret not in text


def test_the_details_tell_before_and_after_and_where_from(auditor_page, happened):
    happened(
        changes={"displayName": ["Luis", "Luis Pérez"], "active": [True, False]},
        details={"expires_at": "2026-11-24T10:00:00+00:00", "unheard_of": 3},
        ip_address="203.0.113.9", request_id="req-1", user_agent="Okta SCIM Client",
    )  # fmt: skip
    text = text_of(auditor_page)
    for part in (
        "Cambios: antes y después", "<del>Luis</del>", "<ins>Luis Pérez</ins>", "<del>sí</del>",
        "Caduca", "unheard_of", "203.0.113.9", "req-1", "Okta SCIM Client",
    ):  # fmt: skip
        assert part in text, part


def test_every_event_has_a_page_of_its_own(auditor_page, happened):
    event = happened(details={"requests": 3})
    response = auditor_page.get(reverse("audit:event", args=[event.pk]))
    assert response.status_code == 200
    assert '"requests": 3' in response.content.decode().replace("&quot;", '"')


@pytest.mark.parametrize("number", [0, 99999999, 2**63, 10**30])
def test_an_event_that_does_not_exist_is_404(auditor_page, number):
    assert auditor_page.get(f"{PAGE}{number}/").status_code == 404


@pytest.mark.parametrize("type", [type.key for type in EventType])
def test_every_activity_can_be_shown_and_asked_for(auditor_page, happened, type):
    event = happened(type=type)
    assert f"/{event.pk}/" in text_of(auditor_page, f"?activity={type}")


def test_an_event_of_another_release_does_not_break_the_page(auditor_page, happened):
    event = happened(
        type="planet.landed", category="space", outcome="odd", target_kind="planet",
        provider_kind="", changes=["?"], details="?",
    )  # fmt: skip
    assert "planet.landed" in text_of(auditor_page)
    page = auditor_page.get(reverse("audit:event", args=[event.pk]))
    assert page.status_code == 200


@pytest.mark.parametrize("kind", ["user", "group"])
def test_the_target_is_linked_while_it_may_exist(auditor_page, happened, kind):
    good, gone = uuid4(), uuid4()
    happened(target_kind=kind, target_id=str(good))
    happened(target_kind=kind, target_id=str(gone), type="user.erased")
    happened(target_kind=kind, target_id="not-an-id")
    text = text_of(auditor_page)
    assert reverse(f"portal:{kind}", args=[good]) in text
    assert reverse(f"portal:{kind}", args=[gone]) not in text


def test_what_an_idp_sends_is_text_and_nothing_else(auditor_page, happened):
    evil = "<script>alert(1)</script>\"'><img src=x>"
    event = happened(
        label=evil, actor_label=evil, user_agent=evil, provider_label=evil,
        changes={evil: [evil, [evil]]}, details={evil: evil, "token": evil},
    )  # fmt: skip
    for url in (PAGE, reverse("audit:event", args=[event.pk]), f"{PAGE}?target={evil}"):
        text = auditor_page.get(url).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


# Filters and pages ----------------------------------------------------------------------------


def test_days_are_the_viewers_and_both_are_included(auditor_page, happened):
    happened(datetime(2026, 11, 18, 22, 59, tzinfo=UTC), label="before")
    happened(datetime(2026, 11, 18, 23, 0, tzinfo=UTC), label="first")
    happened(datetime(2026, 11, 20, 22, 59, tzinfo=UTC), label="last")
    happened(datetime(2026, 11, 20, 23, 0, tzinfo=UTC), label="after")
    auditor_page.cookies["alta_time_zone"] = "Europe/Madrid"
    text = text_of(auditor_page, "?since=2026-11-19&until=2026-11-20")
    assert [word for word in ("before", "first", "last", "after") if f">{word}<" in text] == [
        "first", "last",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("period", "hours"), [("today", 11), ("24h", 23), ("7d", 6 * 24), ("30d", 29 * 24)]
)
def test_shortcuts_choose_a_period(auditor_page, happened, period, hours):
    with time_machine.travel(NOON):
        happened(NOON - timedelta(hours=hours), label="inside")
        happened(NOON - timedelta(hours=hours + 30), label="outside")
        text = text_of(auditor_page, f"?period={period}")
    assert ">inside<" in text
    assert ">outside<" not in text
    assert 'aria-current="true"' in text


def test_dates_that_were_chosen_win_over_a_period(auditor_page, happened):
    happened(NOON, label="luis")
    assert ">luis<" in text_of(auditor_page, "?period=today&since=2026-11-20&until=2026-11-20")


@pytest.mark.parametrize(
    "query",
    [
        "?since=yesterday", "?since=0001-01-01", "?until=9999-12-31", "?activity=x", "?idp=x",
        "?period=century", "?since=2026-12-01&until=2026-01-01", "?cursor=%00", "?cursor=%FF",
        "?q=%00", "?q=" + "a" * 300, "?target=" + "a" * 300, "?actor=%00", "?target=%00",
    ],
)  # fmt: skip
def test_a_wrong_address_shows_the_page_and_says_what_is_wrong(auditor_page, happened, query):
    happened()
    assert auditor_page.get(f"{PAGE}{query}").status_code == 200


def test_an_error_stands_beside_its_field(auditor_page, db):
    text = text_of(auditor_page, "?since=2026-12-01&until=2026-01-01")
    assert 'id="id_since_error"' in text
    assert 'aria-describedby="id_since_error"' in text


def test_pages_keep_the_filters(auditor_page, happened):
    for n in range(55):
        happened(NOON - timedelta(minutes=n), label=f"luis{n}", type="user.created")
    text = text_of(auditor_page, "?q=luis&activity=user.created")
    assert "luis49<" in text
    assert "luis50<" not in text
    older = text.split('rel="next" href="?')[1].split('"')[0].replace("&amp;", "&")
    assert older.startswith("q=luis&activity=user.created&cursor=")
    second = text_of(auditor_page, f"?{older}")
    assert "luis50<" in second
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


def test_an_empty_result_offers_to_clear_the_filters(auditor_page, happened):
    happened()
    assert "Borrar los filtros" in text_of(auditor_page, "?q=nobody")


def test_one_target_or_actor_can_be_looked_at_alone(auditor_page, happened):
    happened(label="luis@example.com", target_id="1")
    happened(label="marta@example.com", target_id="2")
    text = text_of(auditor_page, "?target=2")
    assert "marta@" in text
    assert "luis@" not in text


def test_htmx_gets_the_results_alone_and_their_address(auditor_page, happened):
    happened()
    response = auditor_page.get(f"{PAGE}?q=luis&activity=&idp=", headers={"HX-Request": "true"})
    assert response["HX-Push-Url"] == f"{PAGE}?q=luis"
    assert "<html" not in response.content.decode()


def test_history_restores_the_whole_page(auditor_page, db):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in text_of(auditor_page, headers=headers)


def test_the_page_says_its_time_zone_once(auditor_page, happened):
    happened()
    auditor_page.cookies["alta_time_zone"] = "Europe/Madrid"
    assert text_of(auditor_page).count("Madrid") == 1


def test_a_search_that_takes_too_long_is_said_in_words(auditor_page, monkeypatch):
    from audit import queries
    from audit.patience import TooSlow

    def slow(*args, **kwargs):
        raise TooSlow

    monkeypatch.setattr(queries, "page", slow)
    assert "ha tardado demasiado" in text_of(auditor_page)


# Who may, and what it costs -------------------------------------------------------------------


def test_administrators_and_auditors_read_the_trail(admin_page, auditor_page):
    assert admin_page.get(PAGE).status_code == 200
    assert auditor_page.get(PAGE).status_code == 200


def test_nobody_else_does(ana):
    ana.account.groups.clear()
    client = Client()
    assert client.get(PAGE)["Location"].startswith(reverse("portal:sign-in"))
    answer = client.get(PAGE, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith(reverse("portal:sign-in"))
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_event_can_be_changed(admin_page, happened, method):
    event = happened()
    for url in (PAGE, reverse("audit:event", args=[event.pk])):
        assert getattr(admin_page, method)(url).status_code == 405
    assert Event.objects.filter(pk=event.pk).exists()


def test_a_full_page_costs_as_many_queries_as_an_empty_one(auditor_page, happened, selects):
    for n in range(60):
        happened(NOON - timedelta(minutes=n), provider_kind=("okta", "entra-id")[n % 2])
    text_of(auditor_page)
    # session, account, its permissions (2) and role; count, page; saved views; the seal, its
    # check, what waits
    with selects(11):
        text_of(auditor_page)
    with selects(11):
        text_of(auditor_page, "?q=luis&idp=okta")
    # the entities' keys, their events, what is said of each
    with selects(13):
        text_of(auditor_page, "?view=grouped")
    # until when it was counted, the counters, the hours since
    with selects(8):
        auditor_page.get(f"{PAGE}grafica/")


def test_the_filter_knows_every_kind_of_idp():
    assert {key: str(label) for key, label in PROVIDERS} == {
        kind.value: str(kind.label) for kind in Provider.Kind
    }
    assert set(PROVIDER_ALIASES) == set(Provider.Kind.values)


def test_asking_the_same_again_adds_no_step_to_the_history(auditor_page, db):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}?q=luis"}
    assert "HX-Push-Url" not in auditor_page.get(f"{PAGE}?q=luis", headers=headers)
    assert auditor_page.get(f"{PAGE}?q=marta", headers=headers)["HX-Push-Url"].endswith("marta")


@pytest.mark.parametrize("page", [PAGE, reverse("portal:users"), reverse("portal:groups")])
def test_an_address_that_is_none_is_not_the_asking_page(auditor_page, db, page):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://[::1/"}
    assert auditor_page.get(f"{page}?q=x", headers=headers)["HX-Push-Url"] == f"{page}?q=x"
