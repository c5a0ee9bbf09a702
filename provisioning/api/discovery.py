"""/ServiceProviderConfig, /ResourceTypes, /Schemas, and what is not there."""

import hashlib
from typing import Any

import orjson
from django.http import Http404
from django_scim.utils import get_all_schemas_getter, get_service_provider_config_model
from rest_framework.request import Request
from rest_framework.response import Response

from provisioning.adapters import base_location
from provisioning.api.base import ScimView, not_implemented
from provisioning.scim import discovery, messages
from provisioning.scim.errors import ScimError, invalid_value
from provisioning.scim.schemas import GROUP


class DiscoveryView(ScimView):
    """Documents that change with the installation only: their ETag is their digest."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "filter" in self.parameters():  # RFC 7644 §4: filters are refused here, not ignored
            raise ScimError("This cannot be filtered.", status=403)

    def projected(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes of a document that were asked for. Raises ScimError."""
        asked, left_out = self._named("attributes"), self._named("excludedattributes")
        if asked and left_out:
            raise invalid_value("Use either attributes or excludedAttributes, not both.")
        return {
            name: value
            for name, value in document.items()
            if name in ("schemas", "id")
            or (name.lower() not in left_out and (not asked or name.lower() in asked))
        }

    def _named(self, parameter: str) -> set[str]:
        names = self.parameters().get(parameter, "").lower().split(",")
        return {name.strip() for name in names if name.strip()}

    def respond(self, document: dict[str, Any]) -> Response:
        """Answer with a document, or say that the caller has it already."""
        digest = hashlib.blake2s(orjson.dumps(document), digest_size=12).hexdigest()
        headers = {"ETag": f'W/"{digest}"'}
        if self.unchanged(headers["ETag"]):
            return Response(status=304, headers=headers)
        return Response(document, headers=headers)


class ServiceProviderConfigView(DiscoveryView):
    """/ServiceProviderConfig"""

    def get(self, request: Request) -> Response:
        document = get_service_provider_config_model()(request).to_dict()
        return self.respond(self.projected(document))


class DiscoveryList(DiscoveryView):
    """A list of fixed documents, and each by its id."""

    def documents(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def get(self, request: Request, name: str | None = None) -> Response:
        documents = [self.projected(document) for document in self.documents()]
        if name is None:
            return self.respond(messages.list_response(documents, len(documents), 1))
        for document in documents:
            if document["id"].lower() == name.lower():
                return self.respond(document)
        raise Http404


class ResourceTypes(DiscoveryList):
    """/ResourceTypes"""

    def documents(self) -> list[dict[str, Any]]:
        return discovery.resource_types(self.caller.user_type, GROUP, base_location())


class Schemas(DiscoveryList):
    """/Schemas"""

    def documents(self) -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = get_all_schemas_getter()(self.caller)
        return documents


class NotImplementedYet(ScimView):
    """What RFC 7644 names and this service does not do: 501 for every method."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise not_implemented(request.path.rpartition("/")[2] or request.path)


class WrongVersion(ScimView):
    """Another version of the protocol (RFC 7644 §3.12, §3.13)."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise ScimError("This service speaks SCIM 2.0 at /scim/v2.", scim_type="invalidVers")


class NotFoundView(ScimView):
    """Everything else under the prefix: 401 without a token, 404 with one."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
