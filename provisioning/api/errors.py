"""Errors as SCIM says them (RFC 7644 §3.12): rules know no HTTP, this table knows both."""

import logging
from typing import Any

import orjson
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django_scim.constants import SCIM_CONTENT_TYPE
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from provisioning import errors
from provisioning.scim.errors import ScimError

log = logging.getLogger("alta.scim")

# Domain rule → HTTP status, scimType (RFC 7644 §3.12, Table 9)
RULES: dict[type[errors.ProvisioningError], tuple[int, str]] = {
    errors.NotFound: (404, ""),
    errors.UserNameTaken: (409, "uniqueness"),
    errors.UserNameHeldElsewhere: (409, "uniqueness"),
    errors.GroupNameTaken: (409, "uniqueness"),
    errors.Immutable: (400, "mutability"),
    errors.PreconditionFailed: (412, ""),
    errors.SchemaChanged: (503, ""),
}
RETRY_AFTER_S = 5


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the SCIM Error of an exception; None for a bug, which Django logs and answers 500."""
    headers: dict[str, str] = {}
    if isinstance(error, APIException):
        headers = _headers(error, context)
    context["view"].notes.error = error
    refusal = scim_form(error)
    if refusal is None:
        return None
    if refusal.http_status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Response(refusal.to_dict(), status=refusal.http_status, headers=headers)


def scim_form(error: Exception) -> ScimError | None:
    """Return what an exception is as a SCIM Error; None for a bug."""
    match error:
        case ScimError():
            return error
        case errors.ProvisioningError():
            status, scim_type = RULES.get(type(error), (400, "invalidValue"))
            return ScimError(str(error), status=status, scim_type=scim_type)
        case Http404():
            return ScimError("There is nothing at this address.", status=404)
        case APIException():
            return ScimError(str(error.detail), status=error.status_code)
        case DataError():
            return ScimError("The database cannot hold a value.", scim_type="invalidValue")
        case OperationalError() | InterfaceError():
            return _unavailable(error)
        case _:
            return None


def _headers(error: APIException, context: dict[str, Any]) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if error.status_code == 405:
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return headers


def _unavailable(error: DatabaseError | InterfaceError) -> ScimError:
    """The database is away, locked or overrun: nothing was written, the IdP may try again."""
    if "statement timeout" in str(error):
        detail = "The filter takes too long: compare an indexed attribute with eq or sw."
        return ScimError(detail, status=400, scim_type="tooMany")
    log.error("The database failed: %s", error)
    detail = "The database cannot serve this request at the moment; try again shortly."
    return ScimError(detail, status=503)


def scim_error(status: int, detail: str) -> HttpResponse:
    """Return a SCIM Error made outside any view."""
    content = orjson.dumps(ScimError(detail, status=status).to_dict())
    response = HttpResponse(content, status=status, content_type=SCIM_CONTENT_TYPE)
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response
