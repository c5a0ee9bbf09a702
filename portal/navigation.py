"""The menu as data: what it shows, to whom, and which pages belong to which entry.

An entry whose URL does not exist is left out: the menu shows only what works.
"""

from dataclasses import dataclass, field

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. `covers` is how the URL names of its pages begin."""

    label: str | Promise
    url_name: str = ""
    covers: str = ""
    permission: str = ""
    icon: str = ""
    children: tuple["Entry", ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as one viewer sees it on one page."""

    label: str | Promise
    url: str = ""
    icon: str = ""
    is_current: bool = False
    children: list["Line"] = field(default_factory=list)

    @property
    def holds_current(self) -> bool:
        return self.is_current or any(child.holds_current for child in self.children)


MENU = (
    Entry(
        _("Administration"),
        children=(
            Entry(
                _("Identity"),
                icon="fingerprint-pattern",
                children=(
                    Entry(
                        _("User provisioning"),
                        "portal:tokens",
                        "portal:token",
                        "provisioning.view_token",
                    ),
                    Entry(
                        _("Attributes"),
                        "portal:attributes",
                        "portal:attribute",
                        "provisioning.view_customattribute",
                    ),
                ),
            ),
            Entry(_("Users"), "portal:users", "portal:user", "provisioning.view_user", "users"),
            Entry(
                _("Groups"),
                "portal:groups",
                "portal:group",
                "provisioning.view_group",
                "folder-tree",
            ),
        ),
    ),
    Entry(
        _("Oversight"),
        children=(
            Entry(
                _("Provisioning log"),
                "portal:requests",
                "portal:request",
                "provisioning.view_loggedrequest",
                "activity",
            ),
            Entry(_("Audit trails"), "audit:events", "audit:", "audit.view_event", "scroll-text"),
        ),
    ),
    Entry(
        _("Settings"),
        children=(Entry(_("Jobs"), "portal:jobs", "portal:job", "audit.view_job", "list-checks"),),
    ),
)


def menu_for(user: AbstractBaseUser | AnonymousUser, view_name: str) -> list[Line]:
    """Return the sections of the menu that a viewer may open, the current page marked."""
    return [line for entry in MENU if (line := _line(entry, user, view_name))]


def crumbs(menu: list[Line]) -> list[Line]:
    """Return the way from the menu's root to the current page."""
    for line in menu:
        if line.holds_current:
            return [line, *crumbs(line.children)]
    return []


def _line(entry: Entry, user: AbstractBaseUser | AnonymousUser, view_name: str) -> Line | None:
    children = [line for child in entry.children if (line := _line(child, user, view_name))]
    url = _url(entry.url_name)
    if not children and not url:
        return None
    if entry.permission and not user.has_perm(entry.permission):  # type: ignore[union-attr]
        return None
    is_current = bool(entry.covers) and view_name.startswith(entry.covers)
    return Line(entry.label, url, entry.icon, is_current, children)


def _url(name: str) -> str:
    try:
        return reverse(name) if name else ""
    except NoReverseMatch:
        return ""
