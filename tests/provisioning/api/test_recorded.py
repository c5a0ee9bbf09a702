"""Every recorded request of tests/data, sent to the service and answered as expected."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from audit.actors import SYSTEM
from provisioning.operations import attributes
from tests.provisioning.api.conftest import BASE, Idp

DATA = Path(__file__).parents[2] / "data"
FILES = sorted(DATA.glob("*/*.json"))
KINDS = {
    "entra": "entra-id", "okta": "okta", "onelogin": "onelogin", "pingfederate": "pingfederate",
    "pingone": "pingone", "jumpcloud": "jumpcloud", "google": "google-workspace",
}  # fmt: skip
STEP = re.compile(r'((?:urn:(?:[^.\[]|\.\d)+|[^.\[])+)(?:\[(?:type eq "(\w+)"|(\d+))\])?\.?')


class Scene:
    """What exists before a request, and the placeholders that name it."""

    def __init__(self, idp: Any, given: dict[str, Any]) -> None:
        self.idp = idp
        self.names = {"id": "018f0000-0000-7000-8000-000000000000", "base": BASE}
        for name in given.get("custom_attributes", []):
            attributes.add(name, actor=SYSTEM)
        user = {
            "userName": "luis.ortega@empresa.example",
            "externalId": "00u1",
            "displayName": "Luis",
            "name": {"givenName": "Luis", "familyName": "Ortega"},
            "emails": [{"type": "work", "value": "luis@empresa.example", "primary": True}],
        }
        self.names |= {
            "userName": user["userName"],
            "USERNAME": user["userName"].upper(),
            "externalId": "00u1",
            "email": "luis@empresa.example",
            "displayName": "Ventas Norte",
        }
        user |= self.filled(given.get("user", {}))
        self.names["user"] = idp.user(**self._named(user))["id"]
        self.names["other"] = idp.user("otro@empresa.example")["id"]
        members = [{"value": self.filled(member)} for member in given.get("members", [])]
        group = idp.post("/Groups", {"displayName": "Ventas Norte", "members": members})
        self.names["group"] = group.json()["id"]
        for n in range(2, given.get("users", 2)):
            idp.user(f"u{n}@empresa.example")
        for n in range(1, given.get("groups", 1)):
            idp.group(f"Grupo {n}")

    def _named(self, user: dict[str, Any]) -> dict[str, Any]:
        return {"user_name": user.pop("userName")} | user

    def filled(self, value: Any, encode: bool = False) -> Any:
        """Put the names of this scene in place of the placeholders."""
        text = value if isinstance(value, str) else json.dumps(value)
        for name, real in self.names.items():
            text = text.replace(f"{{{name}}}", quote(real, safe="") if encode else real)
        return text if isinstance(value, str) else json.loads(text)

    def send(self, request: dict[str, Any]) -> Any:
        body = request["body"]
        headers = dict(request["headers"])
        kind = headers.pop("Content-Type", "application/scim+json")
        return self.idp.request(
            request["method"],
            self.filled(request["path"], encode=True),
            None if body is None else self.filled(body),
            content_type=kind,
            **headers,
        )


def holds(expected: Any, found: Any) -> bool:
    """Return whether `found` has all of `expected`: objects by key, lists element by element."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and holds(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(map(holds, expected, found))
        )
    return bool(expected == found)


def at(path: str, resource: Any) -> Any:
    """Return what a path in SCIM notation leads to, or None."""
    for match in STEP.finditer(path):
        name, kind, index = match.groups()
        resource = resource.get(name) if isinstance(resource, dict) else None
        if kind is not None:
            resource = next((e for e in resource or [] if e.get("type") == kind), None)
        elif index is not None:
            resource = resource[int(index)] if resource and len(resource) > int(index) else None
    return resource


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
@pytest.mark.django_db
def test_recorded_request(file):
    record = json.loads(file.read_text(encoding="utf-8"))
    idp = Idp(KINDS.get(file.parent.name, "other"))
    scene = Scene(idp, record.get("given", {}))
    expect = scene.filled(record["expect"])
    response = scene.send(record["request"])

    assert response.status_code == expect["status"], response.content
    body = response.json() if response.content else None
    if "body" in expect:
        assert holds(expect["body"], body), body
    if "scimType" in expect:
        assert body["scimType"] == expect["scimType"]
    for path in expect.get("absent", []):
        assert at(path, body) is None, body
    for path in expect.get("present", []):
        assert at(path, body) is not None, body
    if "after" in expect:
        resource = scene.filled(record["request"]["path"]).partition("?")[0]
        assert holds(expect["after"], idp.get(resource).json())
    if "members" in expect:
        group = {"id": scene.names["group"]}
        assert idp.members(group) == set(expect["members"])
    for line, answer in expect.get("then", {}).items():
        method, _, path = line.partition(" ")
        then = idp.request(method, path)
        if isinstance(answer, int):
            assert then.status_code == answer
        else:
            assert then.json()["totalResults"] == int(answer.removeprefix("totalResults "))
