"""A small SCIM server in memory that behaves, and that a test may teach to misbehave."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx

Body = dict[str, Any]
TOKEN = "alta_scim_test"
BASE = "https://alta.example/scim/v2"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SCHEMAS = [
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:Group",
    ENTERPRISE,
]
KEPT = ("externalId", "userName", "displayName", "name", "emails", "active", "members", ENTERPRISE)


class RefusedError(Exception):
    """Answer with a SCIM Error."""

    def __init__(self, status: int, scim_type: str = "") -> None:
        super().__init__(status)
        self.status, self.scim_type = status, scim_type


class FakeServer:
    """Answer as Alta's rules say; `spoil` may change any reply, `requests` remembers each one."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Body]] = {"Users": {}, "Groups": {}}
        self.deleted: dict[str, Body] = {}
        self.keys: dict[str, str] = {}  # id → look-up key of the userName
        self.requests: list[tuple[str, str, str]] = []
        self.one_at_a_time = threading.Lock()
        self.before_patch: Callable[[str, Body], None] = lambda kind, body: None
        self.spoil: Callable[[httpx.Request, httpx.Response], httpx.Response] = lambda _, r: r

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Serve one request of an httpx.MockTransport."""
        self.requests.append((request.method, str(request.url), request.content.decode()))
        try:
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise RefusedError(401)
            with self.one_at_a_time:
                status, body = self.serve(request)
        except RefusedError as refusal:
            status, body = (
                refusal.status,
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
                    "status": str(refusal.status),
                    "scimType": refusal.scim_type,
                    "detail": "Refused.",
                },
            )
        headers = {"Content-Type": "application/scim+json"}
        content = b"" if body is None else json.dumps(body).encode()
        return self.spoil(request, httpx.Response(status, headers=headers, content=content))

    def serve(self, request: httpx.Request) -> tuple[int, Body | None]:
        kind, _, identifier = request.url.path.removeprefix("/scim/v2/").partition("/")
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        body: Body = json.loads(request.content) if request.content else {}
        if kind == "Schemas":
            return 200, page([{"id": urn} for urn in SCHEMAS], {})
        if not identifier:
            if request.method == "POST":
                return 201, self.shown(kind, self.create(kind, body), query)
            rows = [row for row in self.rows[kind].values() if self.matches(row, query)]
            return 200, page([self.shown(kind, row, query) for row in rows], query)
        row = self.rows[kind].get(identifier)
        if row is None:
            raise RefusedError(404)
        if request.method == "DELETE":
            self.delete(kind, row)
            return 204, None
        if request.method == "PUT":
            self.write(kind, row, self.renamed(row, {k: body.get(k) for k in KEPT if k in body}))
        if request.method == "PATCH":
            self.before_patch(kind, body)
            self.write(kind, row, self.patched(row, body))
            if kind == "Groups":
                return 204, None
        return 200, self.shown(kind, row, query)

    def create(self, kind: str, body: Body) -> Body:
        row = {key: value for key, value in body.items() if key in KEPT}
        name = "userName" if kind == "Users" else "displayName"
        taken = [
            self.keys[i] if kind == "Users" else r[name].lower() for i, r in self.rows[kind].items()
        ]
        if row[name].lower() in taken:
            raise RefusedError(409, "uniqueness")
        old = self.deleted.get(row[name].lower())
        revived = old is not None and old["externalId"] == row.get("externalId")
        total = len(self.rows["Users"]) + len(self.rows["Groups"]) + len(self.deleted)
        row["id"] = old["id"] if old and revived else f"{kind[0].lower()}{total + 1:05d}"
        self.deleted = {k: v for k, v in self.deleted.items() if v["id"] != row["id"]}
        self.rows[kind][row["id"]] = row
        if kind == "Users":
            self.keys[row["id"]] = row[name].lower()
        return row

    def delete(self, kind: str, row: Body) -> None:
        del self.rows[kind][row["id"]]
        if kind == "Users":
            self.deleted[self.keys.pop(row["id"])] = row
            for group in self.rows["Groups"].values():
                group["members"] = [m for m in group.get("members", []) if m["value"] != row["id"]]

    def write(self, kind: str, row: Body, changed: Body) -> None:
        row |= {key: value for key, value in changed.items() if key in KEPT}

    def renamed(self, row: Body, changed: Body) -> Body:
        """Refuse a new userName, except beside active=false: then only the key moves."""
        name = changed.get("userName", row.get("userName"))
        if name != row.get("userName"):
            if changed.get("active") is not False:
                raise RefusedError(400, "mutability")
            self.keys[row["id"]] = name.lower()
            changed["userName"] = row["userName"]
        return changed

    def patched(self, row: Body, body: Body) -> Body:
        after: Body = json.loads(json.dumps(row))
        for operation in body["Operations"]:
            op, value = operation["op"].lower(), operation.get("value")
            changes = {operation["path"]: value} if "path" in operation else value
            for path, new in changes.items():
                change(after, op, path, new)
        return self.renamed(row, after)

    def matches(self, row: Body, query: dict[str, str]) -> bool:
        for attribute, text in re.findall(
            r'(\S+|emails\[.*?\]\.value) eq "([^"]*)"(?!\])', query.get("filter", "")
        ):
            if attribute == "members":
                found = [member["value"] for member in row.get("members", [])]
            elif attribute.endswith(".value"):
                found = [email["value"] for email in row.get("emails") or []]
            elif attribute == "userName":
                found, text = [self.keys[row["id"]]], text.lower()
            else:
                found = [row.get(attribute)]
            if text not in found:
                return False
        return True

    def shown(self, kind: str, row: Body, query: dict[str, str]) -> Body:
        meta = {"resourceType": kind[:-1], "location": f"{BASE}/{kind}/{row['id']}"}
        return {k: v for k, v in row.items() if k != query.get("excludedAttributes")} | {
            "meta": meta
        }


def change(row: Body, op: str, path: str, value: Any) -> None:
    """Apply one change of a PATCH to a resource."""
    if path.startswith("members"):
        sent = re.findall(r'"(.*?)"', path) or [member["value"] for member in value or []]
        before = [m["value"] for m in row.get("members", []) if op != "replace"]
        kept = [m for m in before if op != "remove" or m not in sent]
        row["members"] = [
            {"value": m} for m in dict.fromkeys([*kept, *(sent if op != "remove" else [])])
        ]
    elif path.startswith("emails"):
        row["emails"] = (
            [] if op == "remove" else [{"type": "work", "value": value, "primary": True}]
        )
    elif path.startswith(f"{ENTERPRISE}:"):
        row[ENTERPRISE] = {**row.get(ENTERPRISE, {}), path.rpartition(":")[2]: value or None}
    elif path.startswith("name."):
        row["name"] = {**row["name"], path.removeprefix("name."): value or None}
    else:
        row[path] = {"True": True, "False": False}.get(value, value) if path == "active" else value


def page(resources: list[Body], query: dict[str, str]) -> Body:
    """Return a ListResponse of the part that was asked for."""
    start = int(query.get("startIndex", "1"))
    part = resources[start - 1 :][: int(query.get("count", "100"))]
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(resources),
        "startIndex": start,
        "itemsPerPage": len(part),
        "Resources": part,
    }
