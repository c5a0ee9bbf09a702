"""/Users, /Groups and one of either."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from provisioning.adapters import etag
from provisioning.api import listing
from provisioning.api.base import ScimView
from provisioning.api.endpoints import Endpoint, Row, Users


class EndpointView(ScimView):
    """A view of one endpoint."""

    endpoint_class: type[Endpoint] = Users

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.endpoint = self.endpoint_class(self.caller, self.notes)
        self.notes.type = self.endpoint.type
        self.notes.resource_id = kwargs.get("resource_id", "")

    def respond(self, row: Row, status: int = 200) -> Response:
        """Answer with one resource."""
        projection = self.projection(self.endpoint.type)
        resource = self.endpoint.resources([row], projection, are_new=status == 201)[0]
        location = self.endpoint.location(row)
        headers = {"ETag": etag(row), "Location": location, "Content-Location": location}
        return Response(resource, status=status, headers=headers)


class Collection(EndpointView):
    """All resources of a type: query, create."""

    def get(self, request: Request) -> Response:
        return Response(listing.listing(self.endpoint, self.parameters()))

    def post(self, request: Request) -> Response:
        self.projection(self.endpoint.type)  # a wrong one is refused before anything is written
        return self.respond(self.endpoint.create(self.body()), status=201)


class Item(EndpointView):
    """One resource: read, replace, change, delete."""

    def get(self, request: Request, resource_id: str) -> Response:
        row = self.endpoint.find(resource_id)
        if self.unchanged(etag(row)):
            return Response(status=304, headers={"ETag": etag(row)})
        return self.respond(row)

    def put(self, request: Request, resource_id: str) -> Response:
        self.projection(self.endpoint.type)
        return self.respond(self.endpoint.replace(resource_id, self.body(), self.condition()))

    def patch(self, request: Request, resource_id: str) -> Response:
        """Change the resource; a group answers 204, which serves Entra ID and Okta alike.

        A body with fifty thousand members would serve nobody: it comes when `attributes` asks.
        """
        self.projection(self.endpoint.type)
        row = self.endpoint.modify(resource_id, self.body(), self.condition())
        if self.endpoint.patch_answers or "attributes" in self.parameters():
            return self.respond(row)
        return Response(status=204, headers={"ETag": etag(row)})

    def delete(self, request: Request, resource_id: str) -> Response:
        self.endpoint.delete(resource_id, self.condition())
        return Response(status=204)


class Search(EndpointView):
    """`/.search` of one type (RFC 7644 §3.4.3): a query whose parameters come in the body."""

    only_reads = True

    def post(self, request: Request) -> Response:
        asked = listing.parameters_of(self.body())
        return Response(listing.listing(self.endpoint, asked))


class SearchAll(ScimView):
    """A query of the service's root: users and groups together (RFC 7644 §3.4.2.1, §3.4.3)."""

    only_reads = True

    def get(self, request: Request) -> Response:
        return Response(listing.listing_of_all(self.caller, self.parameters()))

    def post(self, request: Request) -> Response:
        return Response(listing.listing_of_all(self.caller, listing.parameters_of(self.body())))
