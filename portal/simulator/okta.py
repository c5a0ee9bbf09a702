"""Okta's conversation with its users, in the two styles of its apps."""

from typing import Any

from portal.simulator.client import Body, Habits, Reply
from portal.simulator.conversation import Conversation
from portal.simulator.expected import (
    CORE_USER,
    DEPARTMENT,
    ENTERPRISE,
    PATCH_OP,
    WORK_EMAIL,
    Attributes,
    attributes_of,
)
from portal.simulator.okta_groups import push_group, unlink_group
from portal.simulator.people import BASE36, DEPARTMENTS, object_id, seeded
from portal.simulator.verify import eq

PAGE = 100
IMPORTED_PAGES = 20
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


class Okta(Conversation):
    """Every other user and group belongs to a custom app (AIW: PUT for all), the rest to OIN."""

    habits = Habits(
        "Okta SCIM Client 1.0.0",
        "application/scim+json; charset=utf-8",
        {"Accept": "application/scim+json", "Accept-Charset": "utf-8"},
    )

    def filter_query(self, expression: str) -> str:
        """Return the query string of a look-up, which Okta always pages."""
        return f"{super().filter_query(expression)}&startIndex=1&count={PAGE}"

    def open(self) -> None:
        """Make the requests of Okta's SPEC test that need no user yet, then import."""
        stranger = f"nadie.{object_id('okta', seeded(f'probe:{self.seed}'))}@empresa.example"
        self.first_contact(eq("userName", stranger))
        self._check_numbers(self.ask("spec: page", "GET", "/Users", query="count=1&startIndex=1"))
        self._check_numbers(self.ask("spec: groups", "GET", "/Groups"))
        self.ask("spec: unknown id", "GET", f"/Users/{UNKNOWN_ID}", expect=(404,))
        token = "not-a-token"
        self.ask("spec: refused", "GET", "/Users", expect=(401,), token=token)
        self._import()

    def provision(self) -> None:
        """Hold the conversation: users, profile changes, passwords, group push, leavers."""
        people, roles = range(len(self.company.people)), self.roles
        self.each("Matching and creating users", people, self._provision)
        self.each("Updating users", self.present(roles.updated), self._update)
        self.each("Syncing passwords", self.present(roles.managed), self._password)
        teams = enumerate(self.company.teams)
        self.each("Pushing groups", teams, lambda item: push_group(self, *item))
        if self.company.teams:
            unlink_group(self)
        leavers = roles.disabled + roles.deleted  # Okta never deletes a user
        self.each("Deactivating users", self.present(leavers), self._deactivate)
        self.each("Reactivating one", self.present(leavers[:2]), self._activate)
        for index in self.present(people)[-1:]:
            attributes = self.users[index].attributes
            self.duplicate(self._new(index, attributes), attributes["userName"])
            capitals = eq("userName", attributes["userName"].upper())
            self.find("spec: capitals", "/Users", capitals, of="userName in capitals", count=1)

    def is_aiw(self, index: int) -> bool:
        """Tell whether this user or group is sent by a custom app."""
        return index % 2 == 0

    def put_user(self, kind: str, index: int, changes: Attributes, **extra: Any) -> None:
        """Read a user and PUT everything back with the change, as Okta does."""
        user = self.users[index]
        label, path = f"user {user.user_name}", f"/Users/{user.id}"
        reply = self.ask("read", "GET", path, of=label)
        if reply.status != 200:
            return
        body = _changed(reply.body, changes) | extra
        answer = self.ask(kind, "PUT", path, body=body, of=label)
        self._check_silence(label, answer)
        user.accept(changes)

    def _provision(self, index: int) -> None:
        attributes = attributes_of(self.company.people[index])
        label = f"user {attributes['userName']}"
        match = self.find("match", "/Users", eq("userName", attributes["userName"]), of=label)
        if match.resources:
            self.users[index] = self.taken_over(attributes, str(match.resources[0].get("id")))
            self.put_user("update", index, attributes)
            return
        body = self._new(index, attributes)
        reply = self.ask("create", "POST", "/Users", body=body, expect=(201,), of=label)
        self._check_silence(label, reply)
        if user := self.created(attributes, reply):
            self.users[index] = user

    def _new(self, index: int, attributes: Attributes) -> Body:
        return {
            "schemas": [CORE_USER, ENTERPRISE],
            "userName": attributes["userName"],
            "name": {
                "givenName": attributes["name.givenName"],
                "familyName": attributes["name.familyName"],
            },
            "emails": [{"primary": True, "value": attributes[WORK_EMAIL], "type": "work"}],
            "displayName": attributes["displayName"],
            "locale": "es-ES",
            "externalId": attributes["externalId"],
            "groups": [],
            "password": self._secret(index),
            "active": attributes["active"],
            ENTERPRISE: {"department": attributes[DEPARTMENT]},
        }

    def _update(self, index: int) -> None:
        person = self.company.people[index]
        place = DEPARTMENTS.index(person.department)
        changes = {
            "displayName": f"{person.family_name}, {person.given_name}",
            WORK_EMAIL: f"nuevo.{person.email}",
            DEPARTMENT: DEPARTMENTS[(place + 1) % len(DEPARTMENTS)],
        }
        self.put_user("update", index, changes)

    def _password(self, index: int) -> None:
        if self.is_aiw(index):
            self.put_user("password", index, {}, password=self._secret(index))
        else:
            self._patch("password", index, {"password": self._secret(index)})

    def _deactivate(self, index: int) -> None:
        self._set_active(index, active=False)
        self.check_now(self.users[index], "read")

    def _activate(self, index: int) -> None:
        self._set_active(index, active=True)

    def _set_active(self, index: int, *, active: bool) -> None:
        kind = "activate" if active else "deactivate"
        if self.is_aiw(index):
            self.put_user(kind, index, {"active": active})
        else:
            self._patch(kind, index, {"active": active})
            self.users[index].accept({"active": active})

    def _patch(self, kind: str, index: int, value: Body) -> None:
        user = self.users[index]
        label, path = f"user {user.user_name}", f"/Users/{user.id}"
        body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": value}]}
        reply = self.ask(kind, "PATCH", path, body=body, expect=(200, 204), of=label)
        self._check_silence(label, reply)

    def _import(self) -> None:
        start, total = 1, 1
        for _ in range(IMPORTED_PAGES):
            query = f"startIndex={start}&count={PAGE}"
            reply = self.ask("import page", "GET", "/Users", query=query)
            self._check_numbers(reply)
            number = reply.body.get("totalResults")
            total = number if isinstance(number, int) else 0
            start += PAGE
            if reply.status != 200 or start > total:
                return

    def _check_numbers(self, reply: Reply) -> None:
        for key in ("totalResults", "startIndex", "itemsPerPage"):
            if reply.status == 200 and type(reply.body.get(key)) is not int:
                self.findings.add("list", key, "a number", reply.body.get(key))

    def _check_silence(self, label: str, reply: Reply) -> None:
        if "password" in reply.body:
            self.findings.add(label, "password in the answer", "never", "returned")

    def _secret(self, index: int) -> str:
        """Return a password that nobody can guess from the seed's names; it is never shown."""
        return "".join(seeded(f"password:{self.seed}:{index}").choices(BASE36, k=16))


def _changed(resource: Body, changes: Attributes) -> Body:
    """Return the whole resource as read, with the changes at their SCIM paths."""
    body = dict(resource)
    extension = dict(body.get(ENTERPRISE) or {})
    name = dict(body.get("name") or {})
    for path, value in changes.items():
        if path == WORK_EMAIL:
            body["emails"] = [{"primary": True, "value": value, "type": "work", "display": value}]
        elif path == DEPARTMENT:
            extension["department"] = value
        elif path.startswith("name."):
            name[path.removeprefix("name.")] = value
        else:
            body[path] = value
    if name:
        body["name"] = name
    if extension:
        body[ENTERPRISE] = extension
        body["schemas"] = sorted({*(body.get("schemas") or []), ENTERPRISE})
    return body
