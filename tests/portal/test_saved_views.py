"""Saved views: administrators keep them, whoever reads the trail uses them."""

import pytest
from django.urls import reverse

from audit.models import Event, SavedView
from audit.operations import saved_views
from audit.operations.saved_views import ViewRefused
from tests.conftest import MAKER

TRAIL = "/auditoria/"
QUERY = "f=status.is.failure&view=grouped"


@pytest.fixture
def leavers(db):
    return saved_views.save("Mis bajas", QUERY, actor=MAKER)


def test_what_the_page_shows_is_saved_under_a_name(admin_page, auditor_page):
    asked = admin_page.get(reverse("portal:view-save"), {"query": QUERY}).text
    assert "f=status.is.failure" in asked
    response = admin_page.post(
        reverse("portal:view-save"), {"name": " Mis  bajas ", "query": QUERY}
    )
    view = SavedView.objects.get()
    assert (view.name, view.owner_label) == ("Mis bajas", "ana")
    assert response["Location"] == f"{TRAIL}?{view.query}"
    text = auditor_page.get(TRAIL).text
    assert "Mis bajas" in text
    assert reverse("portal:view-rename", args=[view.pk]) not in text, "auditors change nothing"
    assert Event.objects.filter(type="view.saved", target_id=str(view.pk)).count() == 1


def test_a_view_leads_nowhere_but_to_the_page(admin_page):
    admin_page.post(reverse("portal:view-save"), {"name": "x", "query": "//evil.example&q=a&z=1"})
    assert SavedView.objects.get().query == "q=a"


@pytest.mark.parametrize("name", ["", "  ", "a" * 81, "Mis bajas"])
def test_a_name_that_cannot_be_had_is_told_beside_the_field(admin_page, leavers, name):
    response = admin_page.post(reverse("portal:view-save"), {"name": name, "query": "q=x"})
    assert response.status_code == 422
    assert 'id="view-name-error"' in response.text
    assert SavedView.objects.count() == 1


def test_a_view_is_renamed_once_and_deleted(admin_page, leavers):
    url = reverse("portal:view-rename", args=[leavers.pk])
    assert "Mis bajas" in admin_page.get(url).text
    for _again in range(2):
        assert admin_page.post(url, {"name": "Bajas de hoy"})["Location"] == TRAIL
    assert Event.objects.get(type="view.renamed").changes == {"name": ["Mis bajas", "Bajas de hoy"]}
    assert admin_page.post(url, {"name": ""}).status_code == 422
    delete = reverse("portal:view-delete", args=[leavers.pk])
    assert admin_page.get(delete)["Location"] == url
    admin_page.post(delete)
    assert not SavedView.objects.exists()
    assert admin_page.post(delete).status_code == 404


def test_there_are_fifty_views_at_most(leavers, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    with pytest.raises(ViewRefused):
        saved_views.save("Otra", "", actor=MAKER)


def test_every_ready_view_shows_a_page_without_a_wrong_filter(auditor_page):
    from audit.ready_views import READY

    for _name, query in READY:
        text = auditor_page.get(f"{TRAIL}?{query}").text
        assert "is-wrong" not in text
        assert "Borrar los filtros" in text
