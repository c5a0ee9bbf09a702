"""What every SCIM endpoint shares: authentication, media types, errors, language, conditions."""

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from provisioning.api import media
from provisioning.api.authentication import BearerToken, Caller
from provisioning.api.media import OneRenderer, ScimRenderer
from provisioning.errors import PreconditionFailed
from provisioning.log import capture
from provisioning.log.notes import Notes
from provisioning.scim.errors import ScimError
from provisioning.scim.projection import Projection
from provisioning.scim.schemas import ResourceType


class ScimView(APIView):
    """One endpoint of /scim/v2."""

    authentication_classes = [BearerToken]
    permission_classes = [IsAuthenticated]
    renderer_classes = [ScimRenderer]
    content_negotiation_class = OneRenderer
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    only_reads = False  # also by POST

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in English, whatever the portal's language: IdPs log what they read.

        What was asked and answered goes to the provisioning log.
        """
        request.get_host()  # a foreign one is 400, as on every page
        started_ns = time.perf_counter_ns()
        self.notes = Notes(is_read=self.only_reads)
        response = None
        try:
            with translation.override("en"):
                response = super().dispatch(request, *args, **kwargs)
                if isinstance(response, Response):
                    response.render()
                return response
        except Exception as error:
            self.notes.error = error
            raise
        finally:
            capture.note_request(request, self._known_caller(), self.notes, response, started_ns)

    def _known_caller(self) -> Caller | None:
        """Return who proved itself; None before that, and without a valid token."""
        known = getattr(getattr(self, "request", None), "_user", None)
        return known if isinstance(known, Caller) else None

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

    def condition(self) -> Callable[[int], bool] | None:
        """Return the precondition on a version, or None (RFC 7644 §3.14, RFC 9110 §13.1)."""
        wanted = self.request.META.get("HTTP_IF_MATCH")
        unwanted = self.request.META.get("HTTP_IF_NONE_MATCH")
        if wanted is None and unwanted is None:
            return None

        def holds(version: int) -> bool:
            tag = f'W/"{version}"'
            return (wanted is None or matches(wanted, tag)) and not (
                unwanted is not None and matches(unwanted, tag)
            )

        return holds

    def unchanged(self, tag: str) -> bool:
        """Return whether If-None-Match names the present version. Raises PreconditionFailed."""
        wanted = self.request.META.get("HTTP_IF_MATCH")
        if wanted is not None and not matches(wanted, tag):
            raise PreconditionFailed
        header = self.request.META.get("HTTP_IF_NONE_MATCH")
        return header is not None and matches(header, tag)


def matches(header: str, tag: str) -> bool:
    """Return whether a list of entity tags names one, by their opaque parts (RFC 9110 §8.8.3.2)."""
    opaque = tag.removeprefix("W/")
    tags = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in tags or opaque in tags


def not_implemented(what: str) -> ScimError:
    """Return the 501 of what this service does not do."""
    return ScimError(f"{what} is not implemented by this service.", status=501)
