"""What every SCIM endpoint shares: authentication, media types, errors, language, conditions."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django_scim.utils import get_group_adapter, get_user_adapter
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from provisioning.adapters import etag
from provisioning.api import media
from provisioning.api.authentication import BearerToken, Caller
from provisioning.api.media import OneRenderer, ScimRenderer
from provisioning.errors import NotFound
from provisioning.models import Group, User
from provisioning.queries import identifier
from provisioning.scim import limits
from provisioning.scim.errors import ScimError, invalid_value
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import ResourceType

__all__ = ["ScimView", "get_group_adapter", "get_user_adapter"]


class ScimView(APIView):
    """One endpoint of /scim/v2."""

    authentication_classes = [BearerToken]
    permission_classes = [IsAuthenticated]
    renderer_classes = [ScimRenderer]
    content_negotiation_class = OneRenderer
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in English, whatever the portal's language: IdPs log what they read."""
        request.get_host()  # a foreign one is 400, as on every page
        with translation.override("en"):
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response):
                response.render()
            return response

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise MethodNotAllowed(request.method or "")

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-store"}

    @property
    def caller(self) -> Caller:
        """The IdP that is calling."""
        caller: Any = self.request.user
        assert isinstance(caller, Caller)  # noqa: S101 — the permission has seen to it
        return caller

    def body(self) -> Any:
        """Return the JSON that was sent."""
        return media.read(self.request._request)

    def parameters(self) -> dict[str, str]:
        """Return the query's parameters, names in lower case; unknown ones harm nobody."""
        return {name.lower(): str(value) for name, value in self.request.query_params.items()}

    def projection(self, type: ResourceType) -> Projection:
        """Return which attributes the caller wants."""
        asked = self.parameters()
        return Projection.parse(asked.get("attributes"), asked.get("excludedattributes"), type)

    def page(self) -> tuple[int, int]:
        """Return startIndex and count, clamped (RFC 7644 §3.4.2.4). Raises ScimError."""
        asked = self.parameters()
        start = _whole("startIndex", asked.get("startindex", "1"))
        count = _whole("count", asked.get("count", str(limits.PAGE_DEFAULT)))
        return max(start, 1), min(max(count, 0), limits.PAGE_MAXIMUM)

    def found(self, text: str) -> Any:
        """Return the UUID of an id in a path. Raises NotFound for any other text."""
        if (found := identifier(text)) is None:
            raise NotFound
        return found

    def condition(self) -> Callable[[int], bool] | None:
        """Return the precondition of If-Match on a version, or None (RFC 7644 §3.14)."""
        header = self.request.META.get("HTTP_IF_MATCH")
        return None if header is None else lambda version: _matches(header, f'W/"{version}"')

    def unchanged(self, row: User | Group) -> bool:
        """Return whether If-None-Match names the present version."""
        header = self.request.META.get("HTTP_IF_NONE_MATCH")
        return header is not None and _matches(header, etag(row))


def _matches(header: str, tag: str) -> bool:
    """Compare weakly: the opaque parts of the tags (RFC 9110 §8.8.3.2)."""
    opaque = tag.removeprefix("W/")
    tags = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in tags or opaque in tags


def _whole(name: str, text: str) -> int:
    """Read a number of the query; a huge one is as good as the largest."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if not (digits.isascii() and digits.isdecimal()):
        raise invalid_value(f"{name} must be a whole number.")
    return sign * int(digits[:12]) if len(digits) <= 12 else sign * 10**12


def not_implemented(what: str) -> ScimError:
    """Return the 501 of what this service does not do."""
    return ScimError(f"{what} is not implemented by this service.", status=501)
