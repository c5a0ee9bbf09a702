"""Tokens through the portal: generate once, and the four actions."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.types import EventType
from portal.models import Account
from provisioning.models import ExpiryNotice, Token, UsedForm
from provisioning.operations import tokens
from tests.portal.token_pages import (
    ENTRA,
    GENERATE,
    SECRET,
    TOKENS,
    events,
    generate,
    nonce,
    renew,
    text_of,
    url,
    used,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"

# Generate ----------------------------------------------------------------------------------------


def test_generating_shows_the_token_and_the_url_once(admin_page):
    response = generate(admin_page)
    assert response.status_code == 200
    [secret] = set(SECRET.findall(response.text))
    token = Token.objects.get()
    assert secret.endswith(token.hint)
    assert response.text.count(secret) == 1
    assert "http://127.0.0.1:8000/scim/v2</textarea>" in response.text
    assert "Guarde ahora el token y la URL de destino." in response.text
    assert "no-store" in response["Cache-Control"]
    assert "Péguelo como «Token secreto»." in text_of(response.text)
    assert "Péguela como «URL de inquilino»." in text_of(response.text)
    assert (token.name, token.provider.key, token.lifetime_days) == ("Producción", "entra-id", 365)
    assert events(EventType.TOKEN_CREATED) == 1
    for page in (ENTRA, TOKENS, reverse("audit:events"), "/ayuda/"):
        assert secret not in admin_page.get(page).text
    assert secret not in str(dict(admin_page.session))
    assert secret not in str(Event.objects.values())


def test_nothing_on_the_page_of_a_secret_leads_away_without_being_asked(admin_page, okta):
    ExpiryNotice.objects.create(token=okta.token, days=365, expires_at=okta.token.expires_at)
    page = generate(admin_page, name="").text
    assert SECRET.search(page)
    for name in ("language", "theme"):
        assert reverse(f"portal:{name}") not in page
    assert "caduca dentro de" not in page, "another token's end"
    assert '<p class="lead">Entra ID</p>' in page, "the name says the same as the IdP"
    assert "caduca dentro de" in admin_page.get(ENTRA).text


def test_the_token_lets_its_idp_in(admin_page):
    [secret] = set(SECRET.findall(generate(admin_page).text))
    answer = Client().get("/scim/v2/Users", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


def test_a_repeated_form_makes_nothing_and_leads_to_the_table(admin_page):
    page = admin_page.get(ENTRA)
    data = {"name": "A", "lifetime": "30", "form": nonce(page, GENERATE)}
    assert admin_page.post(f"{GENERATE}?idp=entra-id", data).status_code == 200
    again = admin_page.post(f"{GENERATE}?idp=entra-id", data)
    assert (again.status_code, again["Location"]) == (302, ENTRA)
    assert Token.objects.count() == 1
    assert events(EventType.TOKEN_CREATED) == 1
    shown = admin_page.get(ENTRA).text
    assert "no se ha hecho nada más" in shown
    assert not SECRET.search(shown)


@pytest.mark.parametrize("form", ["", "made-up", "made-up:1abcde:signature"])
def test_a_form_that_the_portal_did_not_draw_makes_nothing(admin_page, form):
    response = generate(admin_page, form=form)
    assert response["Location"] == ENTRA
    assert Token.objects.count() == 0


def test_a_form_drawn_for_somebody_else_or_something_else_makes_nothing(
    admin_page, ana, entra, client
):
    other = Account.objects.create(username="otra")
    other.groups.set(ana.account.groups.all())
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    theirs = nonce(client.get(f"{GENERATE}?idp=okta"), GENERATE)
    renewal = nonce(admin_page.get(url("renew", entra.token)), url("renew", entra.token))
    for form in (theirs, renewal):
        assert generate(admin_page, "okta", form=form).status_code == 302
    assert Token.objects.count() == 1


def test_a_form_is_too_old_after_a_day(admin_page, time_machine):
    page = admin_page.get(ENTRA)
    time_machine.move_to(timezone.now() + timedelta(hours=11, minutes=59))
    assert nonce(page, GENERATE)
    time_machine.move_to(timezone.now() + timedelta(days=2))
    client = Client()
    client.force_login(
        Account.objects.get(username="ana"), backend="django.contrib.auth.backends.ModelBackend"
    )
    data = {"name": "A", "lifetime": "30", "form": nonce(page, GENERATE)}
    client.post(f"{GENERATE}?idp=entra-id", data)
    assert Token.objects.count() == 0
    assert "demasiado antiguo" in client.get(ENTRA).text


def test_the_server_refuses_a_third_token_too(admin_page, entra, okta):
    page = admin_page.get(f"{GENERATE}?idp=okta").text
    assert "Pueden existir como máximo 2 tokens" in page
    assert 'name="form"' not in page
    Token.objects.filter(pk=okta.token.pk).update(removed_at=timezone.now())
    data = {"name": "A", "lifetime": "30"}
    data["form"] = nonce(admin_page.get(ENTRA), GENERATE)
    Token.objects.filter(pk=okta.token.pk).update(removed_at=None)
    response = admin_page.post(f"{GENERATE}?idp=entra-id", data)
    assert response["Location"] == ENTRA
    assert "Se ha alcanzado el límite de tokens" in admin_page.get(ENTRA).text
    assert Token.objects.live().count() == 2
    assert not UsedForm.objects.exists(), "the form may be sent again once there is room"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"name": "x" * 101}, "como máximo 100 caracteres"),
        ({"name": "a\u202eb"}, "como máximo 100 caracteres"),
        ({"lifetime": "12"}, "Generar un token SCIM"),
        ({"lifetime": "99999"}, "Generar un token SCIM"),
    ],
)
def test_a_wrong_form_is_shown_again_with_what_was_typed(admin_page, data, text):
    response = generate(admin_page, **data)
    assert response.status_code == 422
    assert text in response.text
    assert Token.objects.count() == 0


@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("90", 90), ("none", None)])
def test_the_lifetime_is_what_was_chosen(admin_page, lifetime, days):
    generate(admin_page, lifetime=lifetime)
    token = Token.objects.get()
    assert token.lifetime_days == days
    assert (token.expires_at is None) == (days is None)


def test_365_days_are_suggested_and_a_name_of_its_own(admin_page, entra):
    page = admin_page.get(ENTRA).text
    assert '<option value="365" selected>' in page
    assert 'value="Entra ID 2"' in page


# The four actions --------------------------------------------------------------------------------


def test_set_to_inactive_and_active_again(admin_page, entra):
    for action, active, type in (
        ("deactivate", False, EventType.TOKEN_DEACTIVATED),
        ("activate", True, EventType.TOKEN_ACTIVATED),
    ):
        response = admin_page.post(url(action, entra.token))
        assert response["Location"] == ENTRA
        entra.token.refresh_from_db()
        assert entra.token.is_active is active
        assert events(type) == 1
        admin_page.post(url(action, entra.token))
        assert events(type) == 1, "an action that changes nothing writes no event"


@pytest.mark.unreconciled
def test_the_item_that_does_not_apply_is_disabled(admin_page, entra):
    def disabled() -> list[str]:
        page = admin_page.get(ENTRA).text
        items = re.findall(r'<button class="menu-item"([^>]*)>.*?</svg>([^<]+)<', page, re.DOTALL)
        return [label.strip() for attributes, label in items if "disabled" in attributes]

    assert disabled() == ["Establecer en Activo"]
    tokens.deactivate(entra.token.pk, actor=tokens.SYSTEM)
    assert disabled() == ["Establecer en Inactivo"]
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert disabled() == ["Establecer en Activo", "Establecer en Inactivo"]


@pytest.mark.unreconciled
def test_an_expired_token_cannot_be_set_active(admin_page, entra):
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1), is_active=False)
    admin_page.post(url("activate", entra.token))
    assert "renuévelo para volver a usarlo" in admin_page.get(ENTRA).text
    assert events(EventType.TOKEN_ACTIVATED) == 0


def test_an_htmx_request_gets_the_panel_and_the_message_only(admin_page, entra):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{ENTRA}"}
    response = admin_page.post(url("deactivate", entra.token), headers=headers)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert response.text.lstrip().startswith('<section class="card" id="tokens"')
    assert 'hx-swap-oob="innerHTML"' in response.text
    assert "está inactivo" in response.text
    assert "está inactivo" not in admin_page.get(ENTRA).text, "said once"


def test_setting_the_last_token_in_use_inactive_warns_first(admin_page, entra):
    used(entra.token)
    for page in (admin_page.get(ENTRA), admin_page.get(url("deactivate", entra.token))):
        assert "Entra ID dejará de sincronizar." in page.text
    used(entra.token, ago=timedelta(hours=25))
    assert "dejará de sincronizar" not in admin_page.get(ENTRA).text


def test_renewing_shows_a_new_secret_once_and_ends_the_old_one(admin_page, entra):
    response = renew(admin_page, entra.token)
    [secret] = set(SECRET.findall(response.text))
    assert secret != entra.secret
    assert "no-store" in response["Cache-Control"]
    assert "El secreto anterior ya no funciona." in response.text
    assert events(EventType.TOKEN_RENEWED) == 1
    assert not SECRET.search(admin_page.get(ENTRA).text)
    scim = Client()
    statuses = [
        scim.get("/scim/v2/Users", headers={"Authorization": f"Bearer {value}"}).status_code
        for value in (entra.secret, secret)
    ]
    assert statuses == [401, 200]


def test_a_repeated_renewal_renews_nothing(admin_page, entra):
    page = admin_page.get(ENTRA)
    data = {"overlap": "0", "form": nonce(page, url("renew", entra.token))}
    assert admin_page.post(url("renew", entra.token), data).status_code == 200
    assert admin_page.post(url("renew", entra.token), data)["Location"] == ENTRA
    assert events(EventType.TOKEN_RENEWED) == 1


def test_while_both_secrets_work_the_table_says_so_until_the_idp_has_switched(
    admin_page, entra, time_machine
):
    time_machine.move_to(timezone.now(), tick=False)
    assert "El secreto anterior funciona 24 horas más." in renew(admin_page, entra.token, "24").text
    time_machine.move_to(timezone.now() + timedelta(minutes=50))
    said = text_of(admin_page.get(ENTRA).text)
    assert "Renovado; el secreto anterior caduca en 23 h." in said
    assert "Pegue antes el nuevo en Entra ID." in said
    entra.token.secrets.filter(is_current=True).update(last_used_at=timezone.now())
    page = admin_page.get(ENTRA).text
    assert "Entra ID ya usa el nuevo." in page
    assert 'class="notice good"' in page


def test_an_empty_confirmation_is_answered_in_the_page_s_language(admin_page, entra):
    used(entra.token)
    for typed in ("", "otra cosa"):
        page = admin_page.post(url("remove", entra.token), {"confirmation": typed})
        assert page.status_code == 422
        error = re.search(r'id="confirm-error">([^<]+)<', page.text)
        assert error
        assert "nombre" in error[1]
    assert Token.objects.live().count() == 1


@pytest.mark.unreconciled
@pytest.mark.parametrize(
    ("days", "said"),
    [(30, "El token caducará entonces el 1 abr 2026."), (None, "El token no caducará")],
)
def test_the_dialog_of_a_renewal_says_when_the_token_will_then_end(
    admin_page, entra, time_machine, days, said
):
    Token.objects.update(lifetime_days=days, expires_at=None)
    time_machine.move_to(datetime(2026, 3, 2, 12, tzinfo=UTC))
    admin_page.force_login(Account.objects.get(), backend=BACKEND)
    assert said in text_of(admin_page.get(ENTRA).text).replace(" .", ".")


@pytest.mark.parametrize("overlap", ["2", "", "-1", "999"])
def test_another_overlap_is_refused(admin_page, entra, overlap):
    assert renew(admin_page, entra.token, overlap).status_code == 422
    assert events(EventType.TOKEN_RENEWED) == 0


def test_removing_frees_the_place_and_is_final(admin_page, entra, okta):
    assert "No se ha usado nunca." in admin_page.get(url("remove", entra.token)).text
    assert admin_page.post(url("remove", entra.token))["Location"] == ENTRA
    page = admin_page.get(ENTRA).text
    assert "Se ha quitado el token «Entra ID»." in page
    assert "1 de 2 en esta instalación" in page
    assert events(EventType.TOKEN_REMOVED) == 1
    for action in ("activate", "deactivate", "renew", "remove"):
        assert admin_page.post(url(action, entra.token)).status_code == 404


@pytest.mark.parametrize(("typed", "gone"), [("", False), ("entra id", False), ("Entra ID", True)])
def test_the_last_token_in_use_is_removed_only_with_its_name(admin_page, entra, typed, gone):
    used(entra.token)
    page = admin_page.get(url("remove", entra.token)).text
    assert "Escriba el nombre del token, Entra ID, para confirmar" in page
    response = admin_page.post(url("remove", entra.token), {"confirmation": typed})
    assert response.status_code == (302 if gone else 422)
    assert ("El nombre no coincide" in response.text) is not gone
    assert Token.objects.live().exists() is not gone
    assert events(EventType.TOKEN_REMOVED) == gone


def test_a_name_cannot_carry_markup_into_the_page(admin_page):
    generate(admin_page, name='<img src=x onerror="alert(1)">')
    for page in (ENTRA, url("remove", Token.objects.get())):
        assert "<img src=x" not in admin_page.get(page).text
