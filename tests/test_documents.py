"""The pages for people who read the repository: what they link to exists."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def links_of(page):
    """Return the addresses that a page links to or shows as pictures, code left out."""
    return LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    relative = [urlsplit(link).path for link in links_of(page) if not urlsplit(link).scheme]
    missing = [path for path in relative if path and not (page.parent / unquote(path)).exists()]
    assert missing == []


def test_links_are_found():
    links = links_of(ROOT / "README.md")
    assert "docs/images/tokens.png" in links
    assert "docs/settings.md" in links


def test_pictures_are_light():
    heavy = [p.name for p in (ROOT / "docs" / "images").iterdir() if p.stat().st_size > 150_000]
    assert heavy == []
