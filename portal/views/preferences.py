"""What a viewer chooses: language and theme, in cookies, so that they hold before sign-in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from portal.access import previous
from portal.middleware import THEME_COOKIE, THEMES

YEAR_S = 365 * 24 * 3600


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on, on the page where it was chosen."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(previous(request))
    if chosen in dict(settings.LANGUAGES):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Show the portal light, dark, or as the viewer's system."""
    chosen = request.POST.get("theme", "")
    response = HttpResponseRedirect(previous(request))
    if chosen in THEMES:
        _keep(response, THEME_COOKIE, chosen)
    return response


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=YEAR_S, secure=settings.HTTPS, httponly=True, samesite="Lax"
    )
