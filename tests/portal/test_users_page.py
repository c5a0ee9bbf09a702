"""«Usuarios»: the list and the page of one, for administrators and auditors."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from audit.types import EventType
from provisioning.models import Provider, User
from provisioning.operations import attributes, transfers, users

LIST = "/usuarios/"


def text_of(client, url=LIST, **more):
    response = client.get(url, **more)
    assert response.status_code == 200
    return response.content.decode().replace("<wbr>", "")


def page_of(user):
    return reverse("portal:user", args=[user.pk])


@pytest.fixture
def leaver(luis, entra):
    users.delete(luis.pk, provider=entra.provider, actor=entra.actor)
    luis.refresh_from_db()
    return luis


def test_the_list_shows_who_is_provisioned(auditor_page, luis):
    text = text_of(auditor_page)
    for part in ("Luis Pérez", "luis@example.com", "Entra ID", "luis@corp.example", "Ventas"):
        assert part in text
    assert '<span class="badge good">Activo</span>' in text
    assert "1 usuario" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("?q=perez", {"luis"}, id="a name without its accent"),
        pytest.param("?q=luis%40example.com", {"luis"}, id="a whole user name"),
        pytest.param("?q=example", {"luis", "marta", "olga"}, id="a word of several"),
        pytest.param("?q=example+perez", {"luis"}, id="every word counts"),
        pytest.param("?state=active", {"luis", "olga"}, id="active"),
        pytest.param("?state=inactive", {"marta"}, id="inactive"),
        pytest.param("?state=deleted", {"nuria"}, id="deleted"),
        pytest.param("?state=all", {"luis", "marta", "nuria", "olga"}, id="all"),
        pytest.param("?idp=okta", {"olga"}, id="an IdP"),
        pytest.param("?idp=okta&state=inactive", set(), id="both"),
        pytest.param("?idp=nobody&state=odd&cursor=%00", {"luis", "marta", "olga"}, id="nonsense"),
    ],
)
def test_filters_find(auditor_page, luis, entra, okta, provisioned, query, expected):
    provisioned(entra, "marta@example.com", active=False)
    nuria = provisioned(entra, "nuria@example.com")
    users.delete(nuria.pk, provider=entra.provider, actor=entra.actor)
    provisioned(okta, "olga@example.com")
    text = text_of(auditor_page, LIST + query)
    names = {"luis", "marta", "nuria", "olga"}
    assert {name for name in names if f"{name}@example.com</" in text} == expected


def test_pages_by_key_show_everybody_once_while_others_arrive(auditor_page, entra, provisioned):
    made = [provisioned(entra, f"user{n:03}@example.com") for n in range(60)]
    first = text_of(auditor_page, f"{LIST}?q=example")
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    for n in range(5):
        provisioned(entra, f"new{n}@example.com")
    second = text_of(auditor_page, LIST + older)
    shown = [user for user in made if str(user.pk) in first or str(user.pk) in second]
    assert len(shown) == 60
    assert not any(str(user.pk) in first and str(user.pk) in second for user in made)
    assert "q=example" in older


def test_a_full_list_costs_as_many_queries_as_a_short_one(
    auditor_page, entra, okta, provisioned, selects
):
    for n in range(60):
        provisioned((entra, okta)[n % 2], f"user{n}@example.com")
    text_of(auditor_page)
    # session, account, permissions (2), role; count, page; the filter's IdPs
    with selects(8):
        text_of(auditor_page)


def test_the_page_shows_every_attribute_with_its_path(auditor_page, luis, entra, ana, provisioned):
    attributes.add("costCenter", actor=ana)
    marta = provisioned(entra, "marta@example.com", custom={"costCenter": "CC-1"})
    text = text_of(auditor_page, page_of(luis))
    for part in (
        str(luis.pk), "userName", "displayName", "name.givenName", "name.familyName",
        "name.formatted", "Luis Pérez Gil", "luis@corp.example (trabajo, principal)", "ext-1",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Ventas",
        "costCenter", "Gestionado por Entra ID",
    ):  # fmt: skip
        assert part in text, part
    assert "CC-1" in text_of(auditor_page, page_of(marta))


def test_the_page_shows_each_id_once_to_be_copied(auditor_page, luis):
    text = text_of(auditor_page, page_of(luis))
    shown = text.split('id="attributes"')[1].split("</table>")[0]
    assert str(luis.pk) not in shown
    assert "externalId" not in shown
    assert text.count(">ext-1<") == 1
    assert ">Correos electrónicos<" in shown


def test_the_list_says_an_e_mail_only_where_it_is_another(auditor_page, entra, provisioned):
    name = "marta@example.com"
    provisioned(entra, name, displayName="Marta", emails=[{"value": name, "primary": True}])
    text = text_of(auditor_page)
    assert text.count(f">{name}<") == 1
    assert ">El mismo<" in text


def test_the_page_links_groups_and_audit_events(auditor_page, luis, entra, grouped):
    group = grouped(entra, "Ventas Madrid", luis)
    text = text_of(auditor_page, page_of(luis))
    assert reverse("portal:group", args=[group.pk]) in text
    link = f"{reverse('audit:events')}?target={luis.pk}"
    assert link in text
    assert "Usuario creado" in text_of(auditor_page, link)


def test_what_an_idp_sends_is_text_and_nothing_else(auditor_page, entra, ana, provisioned):
    evil = "<script>alert(1)</script>\"'><img src=x>"
    attributes.add("odd", actor=ana)
    user = provisioned(
        entra, evil, displayName=evil, externalId=evil, name={"givenName": evil},
        emails=[{"value": evil, "type": evil}], custom={"odd": evil},
    )  # fmt: skip
    for url in (LIST, page_of(user), f"{LIST}?q=%3Cscript%3E"):
        text = text_of(auditor_page, url)
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_user_who_does_not_exist_is_404(auditor_page, db):
    assert auditor_page.get(f"{LIST}0192f0c1-2345-7abc-8def-0123456789ab/").status_code == 404
    assert auditor_page.get(f"{LIST}x/").status_code == 404


def test_htmx_gets_the_results_alone_and_their_address(auditor_page, luis):
    response = auditor_page.get(f"{LIST}?q=luis&state=&idp=", headers={"HX-Request": "true"})
    assert response["HX-Push-Url"] == f"{LIST}?q=luis"
    assert "<html" not in response.content.decode()


def test_an_empty_result_offers_to_search_the_deleted_too(auditor_page, leaver):
    text = text_of(auditor_page, f"{LIST}?q=luis")
    link = text.split('class="empty"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "luis@example.com" in text_of(auditor_page, link)


# Transfer -------------------------------------------------------------------------------------


def transfer_of(user):
    return reverse("portal:user-transfer", args=[user.pk])


def test_an_administrator_transfers_a_user_after_reading_what_it_brings_about(
    admin_page, luis, entra, okta, scim, grouped
):
    grouped(entra, "Ventas Madrid", luis)
    assert transfer_of(luis) in text_of(admin_page, page_of(luis))
    text = text_of(admin_page, transfer_of(luis))
    for part in (
        "¿Transferir a Luis Pérez a otro IdP?", "Entra ID deja de ver al usuario",
        "<strong>luis@example.com</strong>", "Ventas Madrid", "<code>ext-1</code>",
    ):  # fmt: skip
        assert part in text, part
    assert '<option value="okta">Okta</option>' in text
    assert '<option value="entra-id">' not in text
    response = admin_page.post(transfer_of(luis), {"idp": "okta"}, follow=True)
    assert response.redirect_chain == [(page_of(luis), 302)]
    assert "El usuario pertenece ahora a Okta." in response.text
    assert "Gestionado por Okta" in response.text
    assert scim.get(f"/Users/{luis.pk}").status_code == 404
    found = scim.using(okta.secret).get('/Users?filter=userName eq "luis@example.com"').json()
    assert [user["id"] for user in found["Resources"]] == [str(luis.pk)]
    event = Event.objects.filter(type=EventType.USER_TRANSFERRED.key).get()
    assert (event.actor_label, event.provider_label) == ("ana", "Okta")
    trail = text_of(admin_page, f"{reverse('audit:events')}?target={luis.pk}&idp=okta")
    assert "Usuario transferido" in trail


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Seleccione el proveedor de identidades."),
        ({"idp": ""}, "Seleccione el proveedor de identidades."),
        ({"idp": "nobody"}, "Seleccione uno de los proveedores de identidades de la lista."),
        ({"idp": "entra-id"}, "Seleccione uno de los proveedores de identidades de la lista."),
    ],
)
def test_a_transfer_to_nobody_or_to_the_same_idp_is_refused(admin_page, luis, sent, said):
    response = admin_page.post(transfer_of(luis), sent)
    assert response.status_code == 422
    assert said in response.text
    assert 'aria-invalid="true"' in response.text
    assert not Event.objects.filter(type=EventType.USER_TRANSFERRED.key).exists()


def test_a_transfer_that_somebody_else_did_meanwhile_is_told(admin_page, luis, ana, monkeypatch):
    okta = Provider.objects.get(key="okta")
    asked = transfers.transfer

    def meanwhile(user_id, provider, *, actor):
        asked(user_id, okta, actor=ana)
        return asked(user_id, provider, actor=actor)

    monkeypatch.setattr(transfers, "transfer", meanwhile)
    response = admin_page.post(transfer_of(luis), {"idp": "okta"}, follow=True)
    assert "El usuario ya pertenece a este proveedor de identidades." in response.text


def test_a_deleted_user_is_restored_before_it_is_transferred(admin_page, leaver):
    assert transfer_of(leaver) not in text_of(admin_page, page_of(leaver))
    assert admin_page.get(transfer_of(leaver)).status_code == 404
    assert admin_page.post(transfer_of(leaver), {"idp": "okta"}).status_code == 404


def test_an_auditor_is_not_offered_a_transfer_and_is_refused(auditor_page, luis):
    assert transfer_of(luis) not in text_of(auditor_page, page_of(luis))
    assert auditor_page.get(transfer_of(luis)).status_code == 403
    assert auditor_page.post(transfer_of(luis), {"idp": "okta"}).status_code == 403
    assert User.objects.get().provider.key == "entra-id"
    assert Event.objects.filter(type=EventType.ROLE_REFUSED.key).count() == 2


# Deleted users --------------------------------------------------------------------------------


def test_a_deleted_user_says_so_and_offers_what_an_administrator_may_do(admin_page, leaver):
    text = text_of(admin_page, page_of(leaver))
    assert '<span class="badge bad">Eliminado</span>' in text
    assert reverse("portal:user-restore", args=[leaver.pk]) in text
    assert reverse("portal:user-erase", args=[leaver.pk]) in text


def test_an_auditor_is_offered_nothing_and_refused(auditor_page, leaver):
    text = text_of(auditor_page, page_of(leaver))
    for name in ("portal:user-restore", "portal:user-erase"):
        url = reverse(name, args=[leaver.pk])
        assert url not in text
        assert auditor_page.get(url).status_code == 403
        assert auditor_page.post(url, {"confirmation": leaver.user_name}).status_code == 403
    assert User.objects.get().deleted_at


def test_restoring_asks_first_then_gives_the_user_back(admin_page, leaver):
    url = reverse("portal:user-restore", args=[leaver.pk])
    assert "luis@example.com" in text_of(admin_page, url)
    assert User.objects.get().deleted_at
    assert admin_page.post(url)["Location"] == page_of(leaver)
    assert User.objects.get().deleted_at is None
    event = Event.objects.filter(type=EventType.USER_RESTORED.key).get()
    assert event.actor_label == "ana"


def test_restoring_a_name_that_was_taken_is_refused_with_the_reason(
    admin_page, leaver, entra, provisioned
):
    provisioned(entra, "luis@example.com", externalId="ext-2")
    response = admin_page.post(reverse("portal:user-restore", args=[leaver.pk]), follow=True)
    assert "ya tiene este nombre" in response.content.decode()
    assert User.objects.get(pk=leaver.pk).deleted_at


def test_erasing_asks_for_the_user_name(admin_page, leaver):
    url = reverse("portal:user-erase", args=[leaver.pk])
    wrong = admin_page.post(url, {"confirmation": "luis"})
    assert 'id="confirmation-error"' in wrong.content.decode()
    assert User.objects.filter(pk=leaver.pk).exists()
    right = admin_page.post(url, {"confirmation": "luis@example.com"})
    assert right["Location"] == f"{LIST}?state=deleted"
    assert not User.objects.filter(pk=leaver.pk).exists()
    assert Event.objects.filter(type=EventType.USER_ERASED.key).count() == 1


@pytest.mark.parametrize("name", ["portal:user-restore", "portal:user-erase"])
def test_a_user_who_is_not_deleted_is_neither_restored_nor_erased(admin_page, luis, name):
    url = reverse(name, args=[luis.pk])
    assert admin_page.get(url).status_code == 404
    assert admin_page.post(url, {"confirmation": luis.user_name}).status_code == 404


@pytest.mark.parametrize("name", ["portal:user-restore", "portal:user-erase"])
def test_a_form_from_elsewhere_is_refused(ana, leaver, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    url = reverse(name, args=[leaver.pk])
    assert client.post(url, {"confirmation": leaver.user_name}).status_code == 403
    assert User.objects.get().deleted_at < timezone.now()


def test_nobody_sees_users_without_signing_in(luis):
    for url in (LIST, page_of(luis)):
        assert Client().get(url)["Location"].startswith(reverse("portal:sign-in"))
