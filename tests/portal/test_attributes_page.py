"""«Atributos»: one table of all attributes, custom ones added and removed."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from audit.models import Event
from audit.types import EventType
from portal.attributes import CORE, ENTERPRISE, every
from provisioning.models import CustomAttribute, User
from provisioning.operations import attributes
from provisioning.scim import paths, schemas

PAGE = "/administracion/identidad/atributos/"
ADD = f"{PAGE}nuevo/"
UPDATABLE = {
    "displayName", "emails", "name.givenName", "name.familyName", "name.formatted", "active",
    "externalId", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
}  # fmt: skip


def text_of(client, url=PAGE):
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode().replace("<wbr>", "")


def test_the_table_has_the_manuals_words(auditor_page):
    text = text_of(auditor_page)
    for word in (
        "Id", "Nombre de usuario", "Nombre en pantalla", "Activo", "Nombre", "Apellido",
        "Correos electrónicos", "Departamento", "Grupos",
    ):  # fmt: skip
        assert f'<span class="attribute-name">{word}</span>' in text, word


def test_a_custom_attribute_keeps_its_spelling(auditor_page, ana):
    attributes.add("costCenter", actor=ana)
    assert '<span class="attribute-name">costCenter</span>' in text_of(auditor_page)


def test_updates_are_permitted_where_the_manual_says_so():
    assert {row.path for row in (*CORE, *ENTERPRISE) if row.is_updatable} == UPDATABLE


def test_each_locked_attribute_says_why():
    with translation.override("en"):
        assert all(row.reason for row in CORE if not row.is_updatable)
        assert not any(row.reason for row in CORE if row.is_updatable)


def _engine_rows():
    """Return {path: attribute} of what the SCIM engine keeps of a user."""
    user = schemas.user_type((schemas.CustomAttribute("costCenter", "decimal"),))
    rows = {}
    for attribute in user.attributes:
        if attribute.name == "name":
            parts = [sub for sub in attribute.sub_attributes if sub.kept]
            rows |= {f"name.{sub.name}": sub for sub in parts}
        elif attribute.kept and attribute.name != "schemas":
            rows[attribute.name] = attribute
    for extension in user.extensions:
        rows |= {f"{extension.id}:{a.name}": a for a in extension.attributes if a.kept}
    return rows


def test_the_page_says_what_the_scim_engine_does(db):
    custom = CustomAttribute(name="costCenter", name_key="costcenter", type="decimal")
    shown = {row.path: row for row in every([custom])}
    engine = _engine_rows()
    assert set(shown) == set(engine)
    for path, row in shown.items():
        attribute = engine[path]
        assert row.type.key == attribute.type, path
        assert row.is_multi_valued == attribute.multi_valued, path
        assert row.is_required == attribute.required, path
        assert row.is_updatable == (attribute.mutability == "readWrite"), path


@pytest.mark.parametrize("type", CustomAttribute.Type.values)
def test_an_administrator_adds_a_custom_attribute(admin_page, type):
    response = admin_page.post(ADD, {"name": "costCenter", "type": type}, follow=True)
    text = response.content.decode().replace("<wbr>", "")
    assert "urn:ietf:params:scim:schemas:extension:ivanti:2.0:User:costCenter" in text
    assert "costCenter" in text.split('id="messages"')[1].split("</main>")[0]
    assert CustomAttribute.objects.get().type == type
    assert Event.objects.filter(type=EventType.ATTRIBUTE_CREATED.key).count() == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "9lives",
        "cost center",
        "coste€",
        "ñandú",
        "a" * 65,
        "a.b",
        "a:b",
        "<b>",
        "$ref",
        "-a",
    ],
)
def test_a_wrong_name_is_explained_beside_its_field(admin_page, name):
    response = admin_page.post(ADD, {"name": name, "type": "string"})
    assert response.status_code == 422
    text = response.content.decode()
    error = re.search(r'id="id_name_error"[^>]*role="alert">([^<]+)<', text)
    assert error is not None
    assert error[1].strip()
    field = re.search(r'<input[^>]*name="name"[^>]*>', text)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="id_name_helptext id_name_error"' in field[0]
    assert re.findall(r"<[^>]*\bautofocus\b[^>]*>", text) == [field[0]]
    assert 'id="urn" value=""' in text
    assert not CustomAttribute.objects.exists()


def test_a_name_that_exists_in_any_case_is_refused(admin_page, ana):
    attributes.add("costCenter", actor=ana)
    response = admin_page.post(ADD, {"name": "COSTCENTER", "type": "string"})
    assert "Ya hay un atributo" in response.content.decode()
    assert CustomAttribute.objects.count() == 1


def test_an_unknown_type_is_refused(admin_page):
    assert admin_page.post(ADD, {"name": "a", "type": "reference"}).status_code == 422
    assert not CustomAttribute.objects.exists()


def test_an_attribute_without_values_is_removed_after_one_question(admin_page, ana):
    attribute = attributes.add("costCenter", actor=ana)
    url = reverse("portal:attribute-remove", args=[attribute.pk])
    assert "Ningún usuario" in text_of(admin_page, url)
    assert CustomAttribute.objects.exists()
    assert admin_page.post(url)["Location"] == PAGE
    assert not CustomAttribute.objects.exists()


def test_an_attribute_in_use_says_how_many_carry_it_and_asks_for_its_name(
    admin_page, ana, entra, provisioned
):
    attribute = attributes.add("costCenter", actor=ana)
    for n in range(3):
        provisioned(entra, f"user{n}@example.com", custom={"costCenter": "1"})
    url = reverse("portal:attribute-remove", args=[attribute.pk])
    assert "3 usuarios" in text_of(admin_page, url)
    wrong = admin_page.post(url, {"confirmation": "costcentre"})
    assert 'id="confirmation-error"' in wrong.content.decode()
    assert CustomAttribute.objects.exists()
    admin_page.post(url, {"confirmation": "costCenter"})
    assert not CustomAttribute.objects.exists()
    assert [user.custom for user in User.objects.all()] == [{}, {}, {}]


def test_an_auditor_sees_the_table_and_changes_nothing(auditor_page, ana):
    attribute = attributes.add("costCenter", actor=ana)
    text = text_of(auditor_page)
    assert "costCenter" in text
    assert ADD not in text
    remove = reverse("portal:attribute-remove", args=[attribute.pk])
    assert remove not in text
    assert auditor_page.post(ADD, {"name": "a", "type": "string"}).status_code == 403
    assert auditor_page.get(remove).status_code == 403
    assert auditor_page.post(remove).status_code == 403
    assert CustomAttribute.objects.count() == 1


def test_adding_takes_a_post_from_this_page(ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana.account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(ADD, {"name": "a", "type": "string"}).status_code == 403


def test_a_switch_on_a_refused_form_leads_to_the_list(admin_page):
    response = admin_page.post(
        reverse("portal:language"),
        {"language": "en"},
        headers={"Referer": f"http://testserver{ADD}"},
    )
    assert response["Location"] == ADD
    assert admin_page.get(ADD)["Location"] == PAGE


def test_the_table_costs_one_query(admin_page, ana, selects):
    for n in range(20):
        attributes.add(f"attribute{n}", actor=ana)
    text_of(admin_page)
    # session, account, permissions (2), role; attributes; beat, failed jobs, alerts, notices
    with selects(10):
        text_of(admin_page)


def test_nobody_sees_attributes_without_signing_in(db):
    assert Client().get(PAGE)["Location"].startswith(reverse("portal:sign-in"))


def test_paths_of_the_page_are_understood_by_the_engine():
    user = schemas.user_type()
    for row in (*CORE, *ENTERPRISE):
        assert paths.parse(row.path, user)
