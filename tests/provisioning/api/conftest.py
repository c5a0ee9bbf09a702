"""A client that speaks as an IdP, and users and groups that it provisioned itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.actors import SYSTEM
from provisioning.api import throttling
from provisioning.models import Provider
from provisioning.models.attributes import forget_types
from provisioning.operations import tokens

DATA = Path(__file__).parents[2] / "data"
BASE = "/scim/v2"
JSON = "application/scim+json"


class Idp:
    """An identity provider with a token: `idp.get("/Users")`, `idp.post("/Users", {...})`."""

    def __init__(self, kind: str) -> None:
        self.provider = Provider.objects.get(kind=kind)
        issued = tokens.generate(self.provider, actor=SYSTEM)
        self.token, self.secret = issued.token, issued.secret
        self.client = Client(raise_request_exception=False)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body)
        return self.client.generic(
            method,
            path if path.startswith("/scim") else BASE + path,
            data,
            content_type=headers.pop("content_type", JSON),
            headers={"Authorization": f"Bearer {self.secret}"} | headers,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": list(operations),
        }
        return self.request("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.request("DELETE", path, **headers)

    def find(self, filter: str, kind: str = "Users") -> list[Any]:
        """Return the resources that a filter finds."""
        response = self.client.get(
            f"{BASE}/{kind}",
            {"filter": filter},
            headers={"Authorization": f"Bearer {self.secret}"},
        )
        assert response.status_code == 200, response.content
        return response.json()["Resources"]

    def user(self, user_name: str = "luis@corp.local", **attributes: Any) -> dict[str, Any]:
        """Provision a user; return the resource answered."""
        response = self.post("/Users", {"userName": user_name} | attributes)
        assert response.status_code == 201, response.content
        return response.json()

    def group(self, name: str = "Ventas", *members: dict[str, Any]) -> dict[str, Any]:
        """Provision a group of some users; return the resource answered."""
        body = {"displayName": name, "members": [{"value": user["id"]} for user in members]}
        response = self.post("/Groups", body)
        assert response.status_code == 201, response.content
        return response.json()

    def members(self, group: dict[str, Any]) -> set[str]:
        """Return the ids of a group's members."""
        resource = self.get(f"/Groups/{group['id']}").json()
        return {member["value"] for member in resource.get("members", [])}


@pytest.fixture(autouse=True)
def _fresh_process():
    """Forget what a worker keeps in memory between requests."""
    forget_types()
    throttling.forget()


@pytest.fixture
def entra(db):
    return Idp("entra-id")


@pytest.fixture
def okta(db):
    return Idp("okta")
