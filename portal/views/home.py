"""The way in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from portal.access import can


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
