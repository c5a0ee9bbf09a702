"""A real Chromium on a live server, with the static files and the policy of production."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import Person, sign_in

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs an event loop in this thread
PASSWORD = "correcto-caballo-9"
WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.noteViolation(`${event.violatedDirective} ${event.blockedURI} ${location.pathname}`));
"""


@pytest.fixture(scope="session", autouse=True)
def _static_files_of_production() -> Iterator[None]:
    """Let whitenoise answer with the hashed files, as it does in production."""
    theirs = StaticFilesHandler._should_handle
    StaticFilesHandler._should_handle = lambda self, path: False
    yield
    StaticFilesHandler._should_handle = theirs


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, silent: it calls nobody."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*quiet, "--disable-sync", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """A browser window of somebody, and what went wrong in it."""

    page: Page
    context: BrowserContext
    url: str
    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the portal."""
        self.page.goto(self.url + path)
        return self.page


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Open a window: `visit(person, language="en", theme="dark", width=390, script=False)`."""
    contexts = []

    def make(
        person: Person | None = None,
        *,
        language: str = "es",
        theme: str = "light",
        width: int = 1280,
        script: bool = True,
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            timezone_id="Europe/Madrid",
            java_script_enabled=script,
        )
        contexts.append(context)
        cookies = {"alta_language": language, "alta_theme": theme}
        if person:
            cookies["alta_session"] = sign_in(person).cookies["alta_session"].value
        context.add_cookies(
            [{"name": k, "value": v, "url": live_server.url} for k, v in cookies.items()]
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        made = Visit(page, context, live_server.url)
        context.expose_binding("noteViolation", lambda _, text: made.violations.append(text))
        context.add_init_script(WATCH)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(live_server.url) or made.foreign.append(request.url)
            ),
        )
        return made

    yield make
    for context in contexts:
        context.close()
