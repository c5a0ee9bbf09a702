"""«Ajustes de este IdP», on the page of its tokens."""

from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import Event
from audit.types import EventType
from provisioning.models import Provider
from tests.portal.token_pages import ENTRA, TOKENS, events, text_of


@pytest.fixture
def url(entra):
    return reverse("portal:provider-configure", args=[entra.provider.pk])


def rename(scim, user, name):
    operation = {"op": "replace", "path": "userName", "value": name}
    return scim.patch(f"/Users/{user.pk}", {"Operations": [operation]})


def test_renaming_is_allowed_and_forbidden_from_the_next_request_on(
    admin_page, url, scim, luis, entra
):
    page = admin_page.get(ENTRA).text
    assert "Permitir renombrar No permitido" in text_of(page)
    assert 'name="allow_rename" value="yes"' in page
    assert rename(scim, luis, "new@example.com").status_code == 400

    response = admin_page.post(url, {"allow_rename": "yes"}, follow=True)
    assert response.redirect_chain == [(ENTRA, 302)]
    said = text_of(response.text)
    assert "Entra ID ya puede renombrar a sus usuarios." in said
    assert "Permitir renombrar Permitido" in said
    assert "cambia también aquí" in said
    assert rename(scim, luis, "new@example.com").json()["userName"] == "new@example.com"

    response = admin_page.post(url, {"allow_rename": "no"}, follow=True)
    assert "Entra ID ya no puede renombrar a sus usuarios." in text_of(response.text)
    assert rename(scim, luis, "other@example.com").status_code == 400
    assert events(EventType.PROVIDER_UPDATED) == 2


def test_a_form_sent_twice_changes_once(admin_page, url):
    for _ in range(2):
        admin_page.post(url, {"allow_rename": "yes"})
    assert events(EventType.PROVIDER_UPDATED) == 1
    event = Event.objects.get(type=EventType.PROVIDER_UPDATED.key)
    assert (event.actor_label, event.provider_label) == ("ana", "Entra ID")
    trail = admin_page.get(reverse("audit:event", args=[event.pk])).text.replace("<wbr>", "")
    assert "Permitir renombrar no sí" in text_of(trail).replace("allow_rename ", "")


@pytest.mark.parametrize("sent", [{}, {"allow_rename": "perhaps"}])
def test_another_value_changes_nothing(admin_page, url, sent):
    response = admin_page.post(url, sent, follow=True)
    assert "El valor no es válido." in response.text
    assert events(EventType.PROVIDER_UPDATED) == 0


def test_an_unknown_idp_is_404(admin_page):
    url = reverse("portal:provider-configure", args=[uuid4()])
    assert admin_page.post(url, {"allow_rename": "yes"}).status_code == 404


def test_the_page_of_all_idps_has_no_settings(admin_page, entra):
    assert "Ajustes de este IdP" not in admin_page.get(TOKENS).text


def test_an_auditor_reads_the_state_and_is_refused(auditor_page, url):
    page = auditor_page.get(ENTRA).text
    assert "Permitir renombrar No permitido" in text_of(page)
    assert url not in page
    assert auditor_page.post(url, {"allow_rename": "yes"}).status_code == 403
    assert not Provider.objects.get(key="entra-id").allow_rename
    assert events(EventType.ROLE_REFUSED) == 1
