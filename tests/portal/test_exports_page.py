"""Exports of the trail as an auditor sees them."""

import json
from uuid import uuid4

import pytest
from django.urls import reverse

from audit.jobs import running
from audit.models import Event, TrailExport

PAGE = reverse("portal:exports")
ASK = reverse("portal:export-ask")


@pytest.fixture
def export(auditor_page, transactional_db):
    """An export that an auditor asked for and that was made."""
    auditor_page.post(ASK, {"format": "jsonl", "query": "activity=user.created&nonsense=1"})
    running.run_due("exports")
    return TrailExport.objects.get()


def test_the_page_of_the_trail_offers_every_format_with_its_filters(auditor_page, db):
    page = auditor_page.get("/auditoria/?q=luis").text
    form = page.split("data-export>")[1].split("</form>")[0]
    assert 'name="query" value="q=luis"' in form
    for key in ("csv", "jsonl", "cef", "ocsf"):
        assert f'name="format" value="{key}"' in form


def test_an_auditor_asks_waits_and_downloads(auditor_page, export):
    assert (export.state, export.query) == ("done", "activity=user.created")
    event = Event.objects.get(type="trail.exported")
    assert event.actor_label == "eva"
    assert event.details == {"format": "jsonl", "filters": ["activity: user.created"]}
    page = auditor_page.get(PAGE).text
    url = reverse("portal:export-file", args=[export.pk])
    assert url in page
    assert "hx-trigger" not in page.split('id="exports"')[1].split(">")[0]
    response = auditor_page.get(url)
    data = b"".join(response.streaming_content)
    assert response["Content-Length"] == str(len(data))
    assert response["Content-Disposition"].startswith('attachment; filename="alta-')
    assert json.loads(data.splitlines()[-1])["trailer"]["rows"] == export.rows
    assert Event.objects.get(type="export.downloaded").target_id == str(export.pk)
    manifest = auditor_page.get(reverse("portal:export-manifest", args=[export.pk])).json()
    assert manifest["sha256"] == export.sha256


@pytest.mark.django_db
def test_a_page_with_an_unfinished_export_asks_again(auditor_page):
    auditor_page.post(ASK, {"format": "csv", "query": ""})
    page = auditor_page.get(PAGE).text
    assert 'hx-trigger="every 2s"' in page
    assert "En espera" in page
    part = auditor_page.get(PAGE, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith("<section")


@pytest.mark.django_db
def test_what_cannot_be_done_is_said(auditor_page):
    text = auditor_page.post(ASK, {"format": "exe"}, follow=True).text
    assert "Elige un formato" in text
    for _ in range(3):
        auditor_page.post(ASK, {"format": "csv"})
    assert "espera a que una" in auditor_page.post(ASK, {"format": "csv"}, follow=True).text
    unfinished = TrailExport.objects.first()
    for export_id in (uuid4(), unfinished.pk):
        url = reverse("portal:export-file", args=[export_id])
        assert "no tiene archivo" in auditor_page.get(url, follow=True).text
        assert (
            auditor_page.get(reverse("portal:export-manifest", args=[export_id])).status_code == 404
        )


def test_a_stranger_sees_nothing(client, export):
    for url in (PAGE, reverse("portal:export-file", args=[export.pk])):
        assert client.get(url).status_code == 302
