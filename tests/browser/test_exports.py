"""An auditor filters, exports, waits, downloads; the file is whole and its head is in the chain."""

from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from playwright.sync_api import expect

from audit.evidence import sealing
from audit.exports import files
from audit.jobs import running
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import check, fits
from tests.conftest import Idp, Person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def work() -> None:
    """Do what waits in the queue of exports, as its worker does."""
    try:
        running.run_due("exports")
    finally:
        connection.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_an_auditor_exports_and_the_file_proves_itself(
    visit: Callable[..., Visit], eva: Person, entra: Idp, tmp_path: Path, width: int
) -> None:
    sealing.seal_all()
    window = visit(eva, width=width)
    page = window.open(f"{reverse('audit:events')}?activity=token.created")
    check(page, "trail")
    page.locator("[data-export] button[value=csv]").click()
    table = page.locator("#exports")
    expect(table).to_contain_text("En espera")
    check(page, "waiting")
    worker = Thread(target=work)
    worker.start()
    worker.join()
    expect(table).to_contain_text("Lista")  # without a reload
    expect(table).not_to_have_attribute("hx-trigger", "every 2s")
    check(page, "ready")
    assert fits(page)
    with page.expect_download() as download:
        table.get_by_role("link", name="Descargar").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    is_whole, told = files.is_whole(path)
    assert is_whole
    assert told["rows"] == 1
    call_command("audit_verify", "--expect-head", str(path))
    assert window.violations == window.errors == window.foreign == []
