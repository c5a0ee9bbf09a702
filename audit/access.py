"""Who may read the trail."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def readers_only(view: View[P]) -> View[P]:
    """Let in who may view events; others are sent to the sign-in page, or refused with 403."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            if request.headers.get("HX-Request") == "true":  # only a part of the page was asked
                url = redirect_to_login(reverse("audit:events")).url
                return HttpResponse(headers={"HX-Redirect": url})
            return redirect_to_login(request.get_full_path())
        if not request.user.has_perm("audit.view_event"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
