"""What is answered when no view could: SCIM errors under /scim/, pages elsewhere."""

from http import HTTPStatus

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from config.middleware import is_scim
from provisioning.api.errors import scim_error

MESSAGES = {
    400: "The request is not valid HTTP for this server.",
    403: "This action is not allowed.",
    404: "There is nothing at this address.",
    500: "An unexpected error occurred; nothing was changed. Quote the request id to support.",
    503: "The database cannot be reached at the moment; try again shortly.",
}


def _answer(request: HttpRequest, status: int, reason: str = "") -> HttpResponse:
    if is_scim(request):
        return scim_error(status, MESSAGES[status])
    if request.path_info.startswith("/health/"):
        return JsonResponse({"status": HTTPStatus(status).phrase}, status=status)
    origin = getattr(request, "origin", None)
    context = {
        "status": status,
        "reason": reason,
        "request_id": origin.request_id if origin else "",
    }
    response = render(request, "errors/error.html", context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "5"
    return response


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a foreign Host, a broken header."""
    return _answer(request, 400)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the role does not allow it."""
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form from elsewhere, or one that was open too long."""
    return _answer(request, 403, "csrf")


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, 404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500 for a bug, 503 when the database is away; details never leave."""
    import sys

    away = isinstance(sys.exc_info()[1], DatabaseError)
    return _answer(request, 503 if away else 500)
