"""Sign-in: who comes in, who is refused, and what is kept of it."""

import re
from collections.abc import Callable

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.types import EventType
from portal.models import Account

PASSWORD = "correcto-caballo-9"
SIGN_IN = reverse("portal:sign-in")
TOKENS = reverse("portal:tokens")


@pytest.fixture
def ines(ana: object) -> Account:
    """An administrator with a password."""
    account = Account.objects.get(username="ana")
    account.username = "ines"
    account.set_password(PASSWORD)
    account.save()
    return account


def post(client: Client, name: str, password: str, **more: str) -> object:
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def types() -> list[str]:
    return list(Event.objects.order_by("id").values_list("type", flat=True))


def test_signing_in_leads_home_starts_a_new_session_and_is_recorded(ines, client):
    client.get(SIGN_IN)
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    response = post(client, "ines", PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == reverse("portal:home")
    assert client.session.session_key != before
    event = Event.objects.get(type=EventType.SIGNED_IN.key)
    assert (event.actor_label, event.target_label, event.outcome) == ("ines", "ines", "success")
    assert event.ip_address == "127.0.0.1"


def test_home_leads_administrators_to_the_tokens_and_auditors_to_the_trail(
    admin_page, auditor_page
):
    assert admin_page.get("/")["Location"] == TOKENS
    assert auditor_page.get("/")["Location"] == reverse("audit:events")


def test_a_page_asks_for_the_sign_in_and_comes_back(ines, client):
    wanted = f"{TOKENS}?idp=okta"
    response = client.get(wanted)
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert f'name="next" value="{wanted}"' in page.text
    assert post(client, "ines", PASSWORD, next=wanted)["Location"] == wanted


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "///evil",
    ],
)
def test_next_is_honoured_for_this_host_only(ines, client, elsewhere):
    assert post(client, "ines", PASSWORD, next=elsewhere)["Location"] == reverse("portal:home")


@pytest.mark.parametrize(("name", "password"), [("ines", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_refusal_is_one_neutral_message_that_keeps_the_name_only(ines, client, name, password):
    response = post(client, name, password)
    assert response.status_code == 422
    assert "El usuario o la contraseña no son correctos." in response.text
    assert 'role="alert"' in response.text
    assert f'value="{name}"' in response.text
    assert password == "" or password not in response.text.replace(f'value="{name}"', "")
    event = Event.objects.get(type=EventType.SIGN_IN_FAILED.key)
    assert event.outcome == "failure"
    assert event.details["reason"] == "credentials"


def test_a_name_that_nobody_has_is_not_kept(ines, client):
    post(client, "hunter2-typed-in-the-wrong-field", "x")
    event = Event.objects.get(type=EventType.SIGN_IN_FAILED.key)
    assert "hunter2" not in f"{event.target_label}{event.details}{event.search}{event.actor_label}"


def test_too_many_failures_lock_the_name_and_say_when_to_try_again(ines, client):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = post(client, "ines", "wrong")
    assert "Vuelva a intentarlo dentro de 15 minutos." in response.text
    response = post(client, "ines", PASSWORD)
    assert response.status_code == 422
    assert "Demasiados intentos fallidos" in response.text
    assert "_auth_user_id" not in client.session
    last = Event.objects.filter(type=EventType.SIGN_IN_FAILED.key).order_by("-id")[0]
    assert last.details["reason"] == "locked"


def test_an_address_that_tries_many_names_must_wait(ines, client):
    for number in range(30):
        AccessAttempt.objects.create(
            username=f"n{number}", ip_address="127.0.0.1", failures_since_start=1, user_agent=""
        )
    before = Event.objects.count()
    for _ in range(3):
        assert "Demasiados intentos fallidos" in post(client, "ines", PASSWORD).text
    assert "_auth_user_id" not in client.session
    assert Event.objects.count() == before + 1, "told once: nobody floods the trail"
    event = Event.objects.order_by("-id")[0]
    assert (event.type, event.details) == ("session.refused", {"reason": "many_names"})
    assert (event.ip_address, event.outcome) == ("127.0.0.1", "failure")


def test_a_lock_of_a_name_does_not_hide_that_of_the_address(ines, client):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        post(client, "ines", "wrong")
    post(client, "ines", "wrong")
    for number in range(30):
        AccessAttempt.objects.create(
            username=f"n{number}", ip_address="127.0.0.1", failures_since_start=1, user_agent=""
        )
    post(client, "somebody", "wrong")
    reasons = Event.objects.filter(type="session.refused").values_list("details__reason", flat=True)
    assert list(reasons).count("locked") == 1
    assert list(reasons).count("many_names") == 1


def test_signing_out_needs_a_post_ends_the_session_and_is_recorded(admin_page):
    url = reverse("portal:sign-out")
    assert admin_page.get(url).status_code == 405
    assert admin_page.post(url)["Location"] == SIGN_IN
    assert admin_page.get(TOKENS)["Location"].startswith(SIGN_IN)
    assert types()[-1] == EventType.SIGNED_OUT.key
    assert admin_page.post(url).status_code == 302, "a second sign-out is no error"


@pytest.fixture
def must_change(ines: Account) -> Account:
    ines.must_change_password = True
    ines.save()
    return ines


def change(client: Client, current: str, new: str, again: str | None = None) -> object:
    return client.post(
        reverse("portal:password-change"),
        {"current": current, "new": new, "again": new if again is None else again},
    )


def test_a_generated_password_must_be_changed_before_all_else(must_change, client):
    post(client, "ines", PASSWORD)
    for url in (TOKENS, reverse("audit:events"), "/"):
        assert client.get(url)["Location"] == reverse("portal:password-change")
    page = client.get(reverse("portal:password-change"))
    assert "Su primera contraseña se generó automáticamente" in page.text
    assert "12 caracteres" in page.text, "the rules are explained"
    response = change(client, PASSWORD, "otra-clave-larga-7")
    assert response.status_code == 302
    assert client.get(TOKENS).status_code == 200, "the session goes on"
    assert types()[-1] == EventType.PASSWORD_CHANGED.key


@pytest.mark.parametrize(
    ("current", "new", "again", "text"),
    [
        ("wrong", "otra-clave-larga-7", None, "La contraseña actual no es correcta."),
        (PASSWORD, "otra-clave-larga-7", "other", "Las dos contraseñas no coinciden."),
        (PASSWORD, PASSWORD, None, "La contraseña nueva es igual que la actual."),
        (PASSWORD, "short", None, "demasiado corta"),
    ],
)
def test_a_refused_password_says_why_and_changes_nothing(
    must_change, client, current, new, again, text
):
    post(client, "ines", PASSWORD)
    response = change(client, current, new, again)
    assert response.status_code == 422
    assert text in response.text
    assert 'aria-invalid="true"' in response.text
    must_change.refresh_from_db()
    assert must_change.must_change_password
    assert must_change.check_password(PASSWORD)


def test_all_that_is_wrong_with_a_change_of_password_is_said_at_once(ines, client):
    post(client, "ines", PASSWORD)
    page = change(client, "wrong", "short", "other").text
    for text in (
        "La contraseña actual no es correcta.",
        "demasiado corta",
        "Las dos contraseñas no coinciden.",
    ):
        assert text in page
    assert re.findall(r'id="(\w+)"[^>]*autofocus', page) == ["current"]


def test_the_change_of_a_password_has_a_way_back_unless_it_is_forced(ines, must_change, client):
    post(client, "ines", PASSWORD)
    url = reverse("portal:password-change")
    assert "Cancelar" not in client.get(url).text
    Account.objects.update(must_change_password=False)
    page = client.get(url).text
    assert "Cancelar" in page
    assert '<a href="/">Inicio</a>' in page
    assert "clave" not in re.sub(r"<[^>]+>", " ", page)


@pytest.mark.parametrize("name", ["portal:sign-in", "portal:sign-out", "portal:password-change"])
def test_each_form_needs_its_csrf_token(ines, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ines, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(reverse(name), {"username": "ines", "password": PASSWORD})
    assert response.status_code == 403
    assert "No se ha podido aceptar el formulario" in response.text
    assert EventType.ROLE_REFUSED.key not in types(), "a stale form is not a refusal of a role"


def test_a_sign_in_that_cannot_be_recorded_does_not_happen(ines, monkeypatch: pytest.MonkeyPatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the trail is full")

    monkeypatch.setattr("portal.operations.access.journal.record", fail)
    client = Client(raise_request_exception=False)
    assert post(client, "ines", PASSWORD).status_code == 500
    assert client.get(TOKENS)["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("render", [lambda client: client.get(SIGN_IN)])
def test_the_fields_help_password_managers(client, db, render: Callable[[Client], object]):
    page = render(client).text
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "autofocus" in page


def test_the_sign_in_page_costs_no_query(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get(SIGN_IN)


def test_nobody_floods_the_trail_by_failing_to_sign_in(client, ana):
    for n in range(40):
        client.post(reverse("portal:sign-in"), {"username": "ana", "password": f"wrong {n}"})
    assert Event.objects.filter(type="session.refused").count() <= 6


@pytest.mark.parametrize("name", ["\0", "ines\0", "n" * 151, "n" * 60_000])
def test_a_name_that_no_account_can_have_fails_and_counts_like_any_other(ines, client, name):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = post(client, name, PASSWORD)
        assert response.status_code == 422
    assert "Demasiados intentos fallidos" in response.text
    assert Event.objects.filter(type=EventType.SIGN_IN_FAILED.key).exists()


@pytest.mark.parametrize("value", ['"\\000abcdefghij"', "../../etc", "x" * 5000, ""])
def test_a_cookie_that_cannot_be_a_session_is_none(client, db, value):
    client.cookies[settings.SESSION_COOKIE_NAME] = ""
    client.cookies[settings.SESSION_COOKIE_NAME].set(settings.SESSION_COOKIE_NAME, value, value)
    assert client.get(SIGN_IN).status_code == 200
    assert client.get(TOKENS)["Location"].startswith(SIGN_IN)


def test_what_is_too_large_is_refused_before_it_is_read(client, db):
    response = client.post(SIGN_IN, {"username": "x" * 70_000}, headers={"User-Agent": "x"})
    assert response.status_code == 413
    assert "La petición es demasiado grande" in response.text


def from_many(count: int, name: str = "ines") -> None:
    for number in range(count):
        AccessAttempt.objects.create(
            username=name, ip_address=f"203.0.113.{number}", failures_since_start=4, user_agent=""
        )


def test_a_name_that_many_addresses_try_waits_but_not_where_it_signed_in_before(ines, client):
    assert post(client, "ines", PASSWORD).status_code == 302
    client.post(reverse("portal:sign-out"))
    from_many(8)
    assert post(client, "ines", PASSWORD).status_code == 302
    stranger = Client()
    for _ in range(3):
        response = post(stranger, "ines", PASSWORD)
        assert response.status_code == 422
        assert "Demasiados intentos fallidos" in response.text
    stranger.cookies["alta_known"] = "ines"
    assert post(stranger, "ines", PASSWORD).status_code == 422, "the cookie is signed"
    told = Event.objects.filter(type="session.refused").values_list("details__reason", flat=True)
    assert list(told) == ["many_addresses"]


def test_addresses_of_one_ipv6_network_count_as_one(ines, client):
    for number in range(settings.AXES_FAILURE_LIMIT):
        client.post(
            SIGN_IN,
            {"username": "ines", "password": "wrong"},
            REMOTE_ADDR=f"2001:db8:1:2::{number + 1:x}",
        )
    response = client.post(
        SIGN_IN, {"username": "ines", "password": PASSWORD}, REMOTE_ADDR="2001:db8:1:2:3::1"
    )
    assert response.status_code == 422
