"""«Aprovisionamiento de usuarios»: what the page shows, to whom."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.types import EventType
from provisioning.models import ExpiryNotice, Provider, Token
from provisioning.operations import tokens
from tests.conftest import Idp
from tests.portal.token_pages import (
    ENTRA,
    GENERATE,
    OKTA,
    TOKENS,
    events,
    generate,
    renew,
    text_of,
    url,
    used,
)

# The page ----------------------------------------------------------------------------------------


def test_the_list_offers_the_eight_providers_in_spanish(admin_page):
    page = admin_page.get(TOKENS).text
    select = re.search(r'<select[^>]*id="idp".*?</select>', page, re.DOTALL)
    assert select
    assert re.findall(r"<option[^>]*>([^<]+)", select[0]) == [
        "Seleccione Proveedor de identidades (IdP)",
        "Entra ID", "Okta", "OneLogin", "PingOne", "PingFederate", "JumpCloud",
        "Google Workspace", "Otro (SCIM 2.0)",
    ]  # fmt: skip
    assert "<title>Aprovisionamiento de usuarios · Alta</title>" in page


@pytest.mark.parametrize("key", Provider.Kind.values)
def test_the_choice_is_in_the_url_and_in_the_heading(admin_page, key):
    provider = Provider.objects.get(key=key)
    page = admin_page.get(f"{TOKENS}?idp={key}").text
    assert f"<h1>Aprovisionamiento de usuarios de {provider.label}</h1>" in page
    assert f'<option value="{key}" selected>' in page
    assert f"{provider.label} aún no tiene tokens" in page
    assert "http://127.0.0.1:8000/scim/v2" in page, "the URL stays readable"


@pytest.mark.parametrize(
    ("limit", "scope", "said"),
    [
        (2, "installation", "Pueden existir como máximo 2 tokens en esta instalación."),
        (1, "installation", "Puede existir como máximo 1 token en esta instalación."),
        (5, "provider", "Pueden existir como máximo 5 tokens por proveedor de identidades."),
    ],
)
def test_the_help_tells_the_limit_in_force(client, settings, db, limit, scope, said):
    settings.SCIM_TOKEN_LIMIT, settings.SCIM_TOKEN_LIMIT_SCOPE = limit, scope
    assert said in client.get(reverse("portal:help")).text


def test_an_unknown_provider_is_404(admin_page):
    assert admin_page.get(f"{TOKENS}?idp=nowhere").status_code == 404


def test_a_token_s_line_says_all_that_is_known_of_it(admin_page, entra):
    used(entra.token)
    said = text_of(admin_page.get(ENTRA).text)
    assert f"alta_scim_…{entra.token.hint}" in said
    assert "Activo" in said
    assert "por Tests" in said
    assert "hace 4 minutos" in said
    assert "desde 203.0.113.9" in said
    assert "Azure/1" in said
    assert "dentro de 1 año" in said


@pytest.mark.unreconciled
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ["Activo", "Sin uso"]),
        ({"is_active": False}, ["Inactivo"]),
        ({"expires_at": timedelta(days=29)}, ["Activo", "Caduca pronto"]),
        ({"expires_at": timedelta(days=13), "lifetime_days": 30}, ["Activo", "Caduca pronto"]),
        ({"expires_at": timedelta(days=-1)}, ["Caducado"]),
        ({"expires_at": None}, ["Activo", "Nunca"]),
    ],
)
def test_the_status_is_said_in_words(admin_page, entra, change, words):
    if isinstance(change.get("expires_at"), timedelta):
        change = {"expires_at": timezone.now() + change["expires_at"]}
    Token.objects.filter(pk=entra.token.pk).update(**change)
    table = re.search(r"<tbody>.*?</tbody>", admin_page.get(ENTRA).text, re.DOTALL)
    assert table
    badges = re.findall(r'class="(?:badge[^"]*|muted)">([^<]+)', table[0])
    assert badges[: len(words)] == words or set(words) <= set(badges)


@pytest.mark.unreconciled
def test_a_fresh_token_of_30_days_does_not_end_soon(admin_page, entra):
    end = timezone.now() + timedelta(days=30)
    Token.objects.filter(pk=entra.token.pk).update(lifetime_days=30, expires_at=end)
    assert "Caduca pronto" not in admin_page.get(ENTRA).text


def test_the_counter_names_where_the_tokens_are_and_why_no_more_may_be_made(
    admin_page, entra, okta
):
    page = admin_page.get(ENTRA).text
    assert "2 de 2 en esta instalación: Entra ID 1, Okta 1" in text_of(page).replace(" ,", ",")
    assert f'<a href="{OKTA}">Okta 1</a>' in page
    button = re.search(r'<button[^>]*data-opens="generate"[^>]*>', page)
    assert button
    assert 'aria-disabled="true"' in button[0]
    assert 'aria-describedby="limit-reason"' in button[0]
    assert "Pueden existir como máximo 2 tokens en esta instalación." in page
    assert '<dialog class="dialog" id="generate"' not in page


def test_under_a_limit_for_each_provider_the_counter_is_the_provider_s(
    admin_page, settings, entra, okta
):
    settings.SCIM_TOKEN_LIMIT_SCOPE = "provider"
    tokens.rekey()
    page = admin_page.get(ENTRA).text
    assert "1 de 2 para Entra ID" in page
    assert "limit-reason" not in page
    assert generate(admin_page).status_code == 200
    assert "2 de 2 para Entra ID" in admin_page.get(ENTRA).text


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_page_costs_the_same_however_many_tokens_there_are(
    admin_page, settings, django_assert_num_queries, count
):
    settings.SCIM_TOKEN_LIMIT = 100
    provider = Provider.objects.get(key="entra-id")
    for _ in range(count * 10):
        issued = tokens.generate(provider, actor=tokens.SYSTEM)
        used(issued.token)
    admin_page.get(ENTRA)
    # session, account, its two sorts of permission, role, beat, failed jobs, alerts, notices,
    # providers (chosen, all), tokens
    expected = 12 + bool(count)  # and their secrets, once there is a token
    with django_assert_num_queries(expected):
        admin_page.get(ENTRA)


@pytest.mark.parametrize(
    ("public_url", "words"),
    [
        ("https://scim.example.com", []),
        ("http://scim.example.com", ["http sin cifrar"]),
        ("https://10.1.2.3", ["10.1.2.3 es una dirección privada"]),
        ("https://alta.internal", ["alta.internal es una dirección privada"]),
        ("http://localhost:8000", ["es una dirección privada", "http sin cifrar"]),
    ],
)
def test_the_page_warns_of_a_url_that_an_idp_cannot_use(admin_page, settings, public_url, words):
    settings.PUBLIC_URL = public_url
    page = admin_page.get(ENTRA, headers={"Host": "127.0.0.1"}).text
    assert f">{public_url}/scim/v2</textarea>" in page
    for word in words:
        assert word in page
    assert ("Ponga en PUBLIC_URL" in page) == bool(words)


# Notices -----------------------------------------------------------------------------------------


def ends_in(idp: Idp, **left: int) -> None:
    end = timezone.now() + timedelta(**left)
    Token.objects.filter(pk=idp.token.pk).update(expires_at=end)
    ExpiryNotice.objects.create(token=idp.token, days=14, expires_at=end)


def test_every_page_tells_administrators_of_a_token_that_ends_soon(admin_page, auditor_page, entra):
    ends_in(entra, days=13, hours=1)
    words = "El token «Entra ID» de Entra ID caduca dentro de 13 días."
    for page in (TOKENS, reverse("audit:events"), reverse("portal:users")):
        assert words in text_of(admin_page.get(page).text)
        assert words not in text_of(auditor_page.get(page).text)
    renew(admin_page, entra.token)
    assert "caduca dentro de 13" not in admin_page.get(TOKENS).text


def test_an_ended_token_is_told_until_it_is_renewed_or_removed(admin_page, entra):
    ends_in(entra, hours=-1)
    assert "Entra ID ya no puede sincronizar con él" in admin_page.get(TOKENS).text
    tokens.remove(entra.token.pk, actor=tokens.SYSTEM)
    assert "ya no puede sincronizar" not in admin_page.get(TOKENS).text


# Roles -------------------------------------------------------------------------------------------


def test_an_auditor_sees_the_table_but_nothing_to_click(auditor_page, entra):
    page = auditor_page.get(ENTRA).text
    assert f"alta_scim_…{entra.token.hint}" in page
    assert "Generar" not in page
    assert "Seleccionar" not in page
    assert "<dialog" not in page
    assert not re.search(r'action="[^"]*/(generar|renovar|quitar|activar|desactivar)/', page)


@pytest.mark.parametrize("action", ["activate", "deactivate", "renew", "remove"])
def test_a_forged_action_of_an_auditor_is_403_recorded_and_changes_nothing(
    auditor_page, entra, action
):
    before = Token.objects.values().get()
    assert auditor_page.post(url(action, entra.token)).status_code == 403
    assert Token.objects.values().get() == before
    assert events(EventType.ROLE_REFUSED) == 1


def test_a_forged_generate_of_an_auditor_is_403_recorded_and_makes_nothing(auditor_page):
    data = {"name": "x", "lifetime": "365", "form": "x"}
    assert auditor_page.post(f"{GENERATE}?idp=entra-id", data).status_code == 403
    assert Token.objects.count() == 0
    assert events(EventType.ROLE_REFUSED) == 1


def test_an_action_that_only_posts_refuses_get(admin_page, entra):
    assert admin_page.get(url("activate", entra.token)).status_code == 405


@pytest.mark.parametrize("action", ["deactivate", "renew", "remove"])
def test_a_get_asks_and_changes_nothing(admin_page, entra, action):
    before, count = Token.objects.values().get(), Event.objects.count()
    page = admin_page.get(url(action, entra.token))
    assert page.status_code == 200
    assert "Cancelar" in page.text
    assert Token.objects.values().get() == before
    assert Event.objects.count() == count


def test_a_change_that_cannot_be_recorded_does_not_happen(ana, entra, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the trail is full")

    client = Client(raise_request_exception=False)
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    monkeypatch.setattr("provisioning.operations.tokens.journal.record", fail)
    assert client.post(url("deactivate", entra.token)).status_code == 500
    entra.token.refresh_from_db()
    assert entra.token.is_active
