"""The way in, and the help that every page links to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.access import can
from portal.guides import GUIDES
from portal.token_table import limit_rule


@require_safe
@can()
def home(request: HttpRequest) -> HttpResponse:
    """Lead administrators to the tokens and auditors to the audit trails."""
    if not request.user.has_perm("provisioning.change_token"):
        try:
            return redirect(reverse("audit:events"))
        except NoReverseMatch:
            pass
    return redirect("portal:tokens")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how an IdP is connected; also to those who have not signed in."""
    guides = [(kind.label, guide) for kind, guide in GUIDES.items()]
    context = {"guides": guides, "limit_rule": limit_rule(), "crumb": _("Help")}
    return render(request, "portal/help.html", context)
