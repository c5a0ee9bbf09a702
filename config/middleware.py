"""Middleware: where a request comes from, and the framework's own parts, skipped for /scim.

A SCIM request carries a token: it needs no session, cookie, language or page policy. Nor does a
health check, which may come under any Host, and asks the database only where its view does.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import csp.middleware
import django.contrib.auth.middleware
import django.contrib.messages.middleware
import django.contrib.sessions.middleware
import django.middleware.clickjacking
import django.middleware.common
import django.middleware.csrf
import django.middleware.security
import django_htmx.middleware
import whitenoise.middleware
from axes.middleware import AxesMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse

import portal.middleware
from audit.actors import Origin, network_of
from config import limits

SESSION_KEY = re.compile(r"[a-z0-9]{8,40}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
GetResponse = Callable[[HttpRequest], HttpResponse]


def is_scim(request: HttpRequest) -> bool:
    """Return whether a request is for the SCIM service, however its slashes are doubled."""
    return limits.is_scim(request.path_info)


def is_health(request: HttpRequest) -> bool:
    """Return whether a request is for a health check."""
    return request.path_info.startswith("/health/")


def client_ip(request: HttpRequest) -> str | None:
    """Return the caller's address, believing X-Forwarded-For only from a trusted proxy."""
    address = _address(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUSTED_PROXIES:
        return str(address) if address else None
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if address is None or not any(address in network for network in settings.TRUSTED_PROXIES):
            break
        nearer = _address(hop.strip())
        if nearer is None:
            break
        address = nearer
    return str(address) if address else None


def counted_ip(request: HttpRequest) -> str | None:
    """Return what failed sign-ins are counted by."""
    return network_of(client_ip(request))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def origin(get_response: GetResponse) -> GetResponse:
    """Give each request an identifier and an origin; answer with the identifier."""

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = sent if REQUEST_ID.fullmatch(sent) else uuid4().hex
        agent = request.META.get("HTTP_USER_AGENT", "")[:255]
        request.origin = Origin(request_id, client_ip(request), agent)  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = request_id
        return response

    return middleware


def refusals(get_response: GetResponse) -> GetResponse:
    """Answer what the web server does not let in, and what is too large, before it is read."""
    from config import errors  # it needs this module

    def middleware(request: HttpRequest) -> HttpResponse:
        if status := request.META.get(limits.REFUSED):
            return errors.refuse(request, status)
        if not is_scim(request) and _announced(request) > limits.PAGE_BODY:
            return errors.refuse(request, 413)
        return get_response(request)

    return middleware


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def portal_only(middleware: type[Any], *, health: bool = False) -> type[Any]:
    """Return a middleware that lets SCIM requests pass by, and health checks unless `health`."""

    class PortalOnly(middleware):
        def __call__(self, request: HttpRequest) -> HttpResponse:
            if is_scim(request) or (is_health(request) and not health):
                response: HttpResponse = self.get_response(request)
                return response
            answer: HttpResponse = super().__call__(request)
            return answer

    PortalOnly.__name__ = f"{middleware.__name__}ForThePortal"
    PortalOnly.sync_capable, PortalOnly.async_capable = True, False
    return PortalOnly


class KnownSessions(django.contrib.sessions.middleware.SessionMiddleware):
    """Django's, but a cookie that cannot be a session is none: the database is not asked."""

    def process_request(self, request: HttpRequest) -> None:
        """Read the cookie."""
        if not SESSION_KEY.fullmatch(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)


Security = portal_only(django.middleware.security.SecurityMiddleware, health=True)
StaticFiles = portal_only(whitenoise.middleware.WhiteNoiseMiddleware)
Sessions = portal_only(KnownSessions)
Locale = portal_only(portal.middleware.ChosenLanguage)
Common = portal_only(django.middleware.common.CommonMiddleware)
Csrf = portal_only(django.middleware.csrf.CsrfViewMiddleware)
Authentication = portal_only(django.contrib.auth.middleware.AuthenticationMiddleware)
Messages = portal_only(django.contrib.messages.middleware.MessageMiddleware)
Frames = portal_only(django.middleware.clickjacking.XFrameOptionsMiddleware)
Csp = portal_only(csp.middleware.CSPMiddleware)
Htmx = portal_only(django_htmx.middleware.HtmxMiddleware)
Viewer = portal_only(portal.middleware.Viewer)
Axes = portal_only(AxesMiddleware)
