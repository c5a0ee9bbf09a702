"""What every page knows. Computed when a template asks, so that an error page asks nothing."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from audit.jobs import standing
from portal import alerts, navigation, roles, token_table
from portal.middleware import THEME_COOKIE, THEMES


class Page:
    """The layout's own context, drawn from the request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        """auto, light or dark: the viewer's cookie."""
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "auto"

    @property
    def role(self) -> str:
        """The signed-in account's role, in words."""
        role = getattr(self._request.user, "role", "")
        return str(roles.LABELS[role]) if role else ""

    @cached_property
    def menu(self) -> list[navigation.Line]:
        """The sections of the side navigation."""
        match = self._request.resolver_match
        return navigation.menu_for(self._request.user, match.view_name if match else "")

    @cached_property
    def expiry_warnings(self) -> list[token_table.ExpiryWarning]:
        """Tokens whose end is near, for those who can do something about it."""
        if not self._request.user.has_perm("provisioning.change_token"):
            return []
        return token_table.expiry_warnings()

    @cached_property
    def jobs_attention(self) -> standing.Attention | None:
        """What is wrong with the background work, for those who can do something about it."""
        if not self._request.user.has_perm("audit.change_job"):
            return None
        return standing.attention()

    @cached_property
    def alerts(self) -> list[alerts.Told]:
        """What should not be, for those who can do something about it."""
        if not self._request.user.has_perm("provisioning.change_provider"):
            return []
        return alerts.open_ones()

    @cached_property
    def crumbs(self) -> list[navigation.Line]:
        """The breadcrumb to the current menu entry."""
        return navigation.crumbs(self.menu)


def page(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the layout."""
    return {"page": Page(request)}
