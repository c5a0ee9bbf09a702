"""Who may open a page, as one decorator. The order of guards is: method, permission, cache.

@require_POST
@can("provisioning.change_token")
@never_cache
def renew(request, token_id): ...
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def can(*permissions: str) -> Callable[[View[P]], View[P]]:
    """Let in who is signed in and has the permissions; `can()` asks for the sign-in only.

    Others are sent to the sign-in page and back, or refused with 403, which is recorded.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page; the whole page when only a part of it was asked."""
    back = request.get_full_path() if request.method == "GET" else previous(request)
    if request.headers.get("HX-Request") == "true":
        back = safe(request, request.headers.get("HX-Current-URL", "")) or back
    answer = redirect_to_login(back)
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": answer.url})
    return answer


def safe(request: HttpRequest, url: str) -> str:
    """Return the path and query of a URL of this host, else nothing."""
    allowed = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not url or not allowed:
        return ""
    parts = urlsplit(url)
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def previous(request: HttpRequest, default: str = "portal:home") -> str:
    """Return where a form was sent from: its `next`, the page named by the browser, or home."""
    return (
        safe(request, request.POST.get("next", ""))
        or safe(request, request.headers.get("Referer", ""))
        or resolve_url(default)
    )
