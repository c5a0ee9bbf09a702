"""What is answered when no view could: SCIM errors under /scim/, pages elsewhere."""

from http import HTTPStatus

from django.db import DatabaseError, DataError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import requires_csrf_token

from config.middleware import GetResponse, is_health, is_scim
from portal.operations import access
from provisioning.api.errors import scim_error

MESSAGES = {
    400: "The request is not valid HTTP for this server.",
    403: "This action is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not answer that method.",
    408: "The request's body did not arrive in time.",
    413: "The request's body is too large.",
    500: (
        "An unexpected error occurred. Whether the request took effect is not known: read the "
        "resource before you send it again. Quote the request id to support."
    ),
    501: "The request's method or transfer coding is not implemented by this service.",
    503: "The service cannot serve this request at the moment; try again shortly.",
}
# What a page says instead: its title and its text.
PAGES = {
    400: (_("The request is not valid"), _("Your browser sent what this server cannot answer.")),
    403: (
        _("You may not do this"),
        _("Your role does not allow it. The attempt was recorded; nothing was changed."),
    ),
    404: (_("There is nothing here"), _("The page does not exist, or no longer does.")),
    405: (
        _("This address cannot be used like that"),
        _("It answers other requests only, such as a form of the portal; nothing was changed."),
    ),
    408: (_("The request took too long"), _("It did not arrive in time. Send it again.")),
    413: (_("The request is too large"), _("No form of the portal needs to send this much.")),
    500: (
        _("Something went wrong"),
        _(
            "The error is on our side. Look whether your change was made before you make it again. "
            "Quote the request id to support."
        ),
    ),
    503: (
        _("Alta is not available at the moment"),
        _("Try again shortly; look first whether your last change was made."),
    ),
}
FOREIGN_FORM = (
    _("The form could not be accepted"),
    _("It was open for too long, or cookies are blocked. Go back, reload the page and try again."),
)
# Pages that may ask the database who is looking, to keep the navigation around them.
WITH_LAYOUT = (403, 404, 405)


def _answer(request: HttpRequest, status: int, reason: str = "") -> HttpResponse:
    if is_scim(request):
        return scim_error(status, MESSAGES[status])
    if is_health(request):
        return JsonResponse({"status": HTTPStatus(status).phrase}, status=status)
    origin = getattr(request, "origin", None)
    title, text = FOREIGN_FORM if reason == "csrf" else PAGES.get(status, PAGES[400])
    context = {
        "status": status,
        "title": title,
        "text": text,
        "return_to": request.get_full_path() if request.method == "GET" else "/",
        "request_id": origin.request_id if origin else "",
        "with_layout": status in WITH_LAYOUT and _is_signed_in(request),
    }
    response = render(request, "errors/error.html", context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "5"
    return response


def _is_signed_in(request: HttpRequest) -> bool:
    """Return whether the page has a viewer whose menu it may show."""
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated and not user.must_change_password)


def not_allowed(get_response: GetResponse) -> GetResponse:
    """Give the empty 405 of a view that refuses a method our page; `Allow` stays."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or is_scim(request):
            return response
        page = _answer(request, 405)
        page["Allow"] = response["Allow"]
        return page

    return middleware


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a foreign Host, a broken header."""
    return _answer(request, 400)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the role does not allow it, which is recorded."""
    if not is_scim(request) and request.user.is_authenticated:
        access.note_refused_role(request)
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form from elsewhere, or one that was open too long."""
    return _answer(request, 403, "csrf")


def refuse(request: HttpRequest, status: int) -> HttpResponse:
    """Answer what the web server did not let in."""
    return _answer(request, status)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, 404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """500 for a bug, 503 when the database is away, 400 for what it cannot hold.

    Details never leave.
    """
    import sys

    match sys.exc_info()[1]:
        case DataError():
            return _answer(request, 400)
        case DatabaseError():
            return _answer(request, 503)
        case _:
            return _answer(request, 500)
