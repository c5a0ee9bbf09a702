"""«Aprovisionamiento de usuarios»."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.access import can


@require_safe
@can("provisioning.view_token")
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/tokens/index.html")
