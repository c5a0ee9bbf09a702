"""What the portal knows of its viewer: language, time zone, a password that must change."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation

TIME_ZONE_COOKIE = "alta_time_zone"
THEME_COOKIE = "alta_theme"
THEMES = ("auto", "light", "dark")
ALWAYS_OPEN = ("portal:password-change", "portal:sign-out", "portal:language", "portal:theme")


class ChosenLanguage:
    """Speak Spanish unless the viewer chose otherwise: the browser's list does not decide."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class Viewer:
    """Show times in the viewer's zone, and the change of a first password before all else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.must_change_password:
            match_open = {reverse(name) for name in ALWAYS_OPEN}
            if request.path_info not in match_open:
                return HttpResponseRedirect(reverse("portal:password-change"))
        name = request.COOKIES.get(TIME_ZONE_COOKIE, "")
        try:
            zone = zoneinfo.ZoneInfo(name) if name else zoneinfo.ZoneInfo(settings.TIME_ZONE)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            zone = zoneinfo.ZoneInfo(settings.TIME_ZONE)
        with timezone.override(zone):
            return self.get_response(request)
