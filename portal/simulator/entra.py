"""Entra ID's conversation with its users: one initial cycle, then a busy week of changes."""

from dataclasses import replace

from portal.simulator import entra_bodies as bodies
from portal.simulator.client import Body, Habits, Reply
from portal.simulator.conversation import Conversation
from portal.simulator.entra_bodies import Dialect
from portal.simulator.entra_groups import provision_group, remove_group
from portal.simulator.expected import (
    CORE_GROUP,
    CORE_USER,
    DEPARTMENT,
    ENTERPRISE,
    WORK_EMAIL,
    Attributes,
    attributes_of,
    flatten,
)
from portal.simulator.people import DEPARTMENTS, object_id, seeded
from portal.simulator.verify import eq

PAGE = 5
UNKEPT = {
    "title": "Responsable",
    'phoneNumbers[type eq "mobile"].value': "+34 600 000 000",
    'addresses[type eq "work"].formatted': "Calle Mayor 1, Madrid",
}


class Entra(Conversation):
    """Half of the users, and every other group, speak the dialect of `aadOptscim062020`."""

    # No public document names the service's own User-Agent, so this one names the simulator.
    habits = Habits("Entra-ID-simulator", "application/scim+json; charset=utf-8")
    plus_for_space = True

    def open(self) -> None:
        """Test the connection with a random GUID, then read the schemas."""
        self.first_contact(eq("userName", object_id("entra", seeded(f"probe:{self.seed}"))))
        reply = self.ask("schemas", "GET", "/Schemas")
        ids = {str(resource.get("id")) for resource in reply.resources}
        for schema in (CORE_USER, CORE_GROUP, ENTERPRISE):
            if reply.status == 200 and schema not in ids:
                self.findings.add("/Schemas", "schema discovery", schema, sorted(ids))

    def provision(self) -> None:
        """Hold the conversation: users, their changes, groups, leavers."""
        people, roles = range(len(self.company.people)), self.roles
        self.each("Matching and creating users", people, self._provision)
        self.each("Updating users", self.present(roles.updated), self._update)
        self.each("First e-mail of a user", self.present(roles.without_email), self._first_email)
        self.each("Blank and null values", self.present(roles.blanked), self._blank)
        self.each("Removing an e-mail", self.present(roles.unmailed), self._remove_email)
        self.each("A rename that is refused", self.present(roles.renamed), self._rename)
        self.each("Managers", self.present(roles.managed), self._manage)
        teams = enumerate(self.company.teams)
        self.each("Groups and members", teams, lambda item: provision_group(self, *item))
        if self.company.teams:
            remove_group(self)
        self.each("Disabling users", self.present(roles.disabled), self._disable)
        self.each("Enabling one again", self.present(roles.disabled[:1]), self._enable)
        self.each("A leaver and a newcomer", self.present(roles.tombstone), self._tombstone)
        self.each("Deleting users", self.present(roles.deleted), self._delete)
        self.each("Restoring one", self.present(roles.deleted[:1]), self._restore)
        self._pages()
        for index in self.present(people)[-1:]:
            attributes = self.users[index].attributes
            if not self.users[index].is_deleted and not self.users[index].is_tombstone:
                self.duplicate(bodies.user(attributes), attributes["userName"])

    def dialect(self, index: int) -> Dialect:
        """Return the dialect of a person or group."""
        return Dialect(is_flagged=index % 2 == 1)

    def patch(
        self, kind: str, index: int, body: Body, expect: tuple[int, ...] = (200, 204)
    ) -> Reply:
        """PATCH a user in her dialect."""
        user = self.users[index]
        query, label = self.dialect(index).query, f"user {user.user_name}"
        path = f"/Users/{user.id}"
        return self.ask(kind, "PATCH", path, query=query, body=body, expect=expect, of=label)

    def _provision(self, index: int) -> None:
        attributes = attributes_of(self.company.people[index])
        label = f"user {attributes['userName']}"
        match = self.find("match", "/Users", eq("userName", attributes["userName"]), of=label)
        if index % 10 == 0:  # tenants that match by something else ask in its words
            for path in ("externalId", WORK_EMAIL):
                self.find("match", "/Users", eq(path, attributes[path]), of=label)
        if match.resources:
            self._update_found(index, attributes, str(match.resources[0].get("id")))
            return
        if index in self.roles.without_email:
            attributes[WORK_EMAIL] = None
        body = (bodies.user_with_nulls if index % 10 == 4 else bodies.user)(attributes)
        reply = self._post(label, body, self.dialect(index).query)
        if user := self.created(attributes, reply):
            self.users[index] = user

    def _post(self, label: str, body: Body, query: str = "") -> Reply:
        path, expect = "/Users", (201,)
        return self.ask("create", "POST", path, query=query, body=body, expect=expect, of=label)

    def _update_found(self, index: int, attributes: Attributes, identifier: str) -> None:
        label = f"user {attributes['userName']}"
        reply = self.ask("read", "GET", f"/Users/{identifier}", of=label)
        if reply.status != 200:
            return
        self.users[index] = self.taken_over(attributes, identifier)
        read = flatten(reply.body)
        changes = {key: sent for key, sent in attributes.items() if sent != read[key]}
        changes.pop("userName", None)  # it matched; only its capitals may differ
        if changes:
            self.patch("update", index, self.dialect(index).update(changes))

    def _update(self, index: int) -> None:
        user, person = self.users[index], self.company.people[index]
        place = DEPARTMENTS.index(person.department)
        changes: Attributes = {
            "displayName": f"{person.family_name}, {person.given_name}",
            DEPARTMENT: DEPARTMENTS[(place + 1) % len(DEPARTMENTS)],
            **UNKEPT,
        }
        if index not in self.roles.without_email:
            changes[WORK_EMAIL] = f"nuevo.{person.email}"
        self.ask("read", "GET", f"/Users/{user.id}", of=f"user {user.user_name}")
        self._change("update", index, changes)

    def _change(self, kind: str, index: int, changes: Attributes, name: str = "Replace") -> None:
        self.patch(kind, index, self.dialect(index).update(changes, name))
        self.users[index].accept({key: value or None for key, value in changes.items()})

    def _first_email(self, index: int) -> None:
        self._change("first e-mail", index, {WORK_EMAIL: self.company.people[index].email}, "Add")

    def _blank(self, index: int) -> None:
        user, dialect = self.users[index], self.dialect(index)
        kept = {key: user.attributes[key] for key in ("displayName", DEPARTMENT)}
        for nothing in ("", None):
            self.patch("null update", index, dialect.update(dict.fromkeys(kept, nothing)))
            user.accept(dict.fromkeys(kept))
            self.check_now(user, "read after null update")
        self._change("update", index, kept)

    def _remove_email(self, index: int) -> None:
        user, dialect = self.users[index], self.dialect(index)
        address = user.attributes[WORK_EMAIL]
        operation = dialect.operation("Remove", WORK_EMAIL, address)
        self.patch("remove e-mail", index, bodies.patch([operation]))
        user.accept({WORK_EMAIL: None})
        self.check_now(user, "read after remove")
        self._change("first e-mail", index, {WORK_EMAIL: address}, "Add")

    def _rename(self, index: int) -> None:
        body = self.dialect(index).update({"userName": f"otra.{self.users[index].user_name}"})
        reply = self.patch("rename", index, body, expect=(400,))
        if reply.status == 400 and reply.body.get("scimType") != "mutability":
            label = f"user {self.users[index].user_name}"
            self.findings.add(label, "rename: scimType", "mutability", reply.body.get("scimType"))

    def _manage(self, index: int) -> None:
        manager = min(self.users)
        if manager == index:
            return
        user, boss, dialect = self.users[index], self.users[manager], self.dialect(index)
        question = f"{eq('id', user.id)} and {eq('manager', boss.id)}"
        self.find("manager check", "/Users", question, of=f"user {user.user_name}")
        self.patch("manager", index, dialect.set_manager(boss.id, self.client.base))
        if index in self.roles.managed[:2]:
            self.patch("manager", index, dialect.clear_manager())

    def _disable(self, index: int) -> None:
        self._change_active(index, active=False)
        self.check_now(self.users[index], "read")

    def _enable(self, index: int) -> None:
        self._change_active(index, active=True)

    def _change_active(self, index: int, *, active: bool) -> None:
        kind = "enable" if active else "disable"
        self.patch(kind, index, self.dialect(index).update({"active": active}))
        self.users[index].accept({"active": active})

    def _tombstone(self, index: int) -> None:
        leaver, person = self.users[index], self.company.people[index]
        buried = f"{person.object_id.replace('-', '')}{leaver.user_name}"
        body = self.dialect(index).update({"active": False, "userName": buried})
        self.patch("tombstone", index, body)
        leaver.is_tombstone = True
        leaver.accept({"active": False})
        label = f"user {leaver.user_name}"
        self.find("match", "/Users", eq("userName", leaver.user_name), of=label, count=0)
        rng = seeded(f"newcomer:{self.seed}")
        newcomer = replace(person, object_id=object_id("entra", rng), given_name="Nerea")
        attributes = attributes_of(newcomer)
        body = bodies.user(attributes)
        reply = self._post(label, body)
        user = self.created(attributes, reply)
        if user and user.id == leaver.id:
            self.findings.add(label, "id of a newcomer with a leaver's name", "a new id", user.id)

    def _delete(self, index: int) -> None:
        user = self.users[index]
        path, label = f"/Users/{user.id}", f"user {user.user_name}"
        self._change_active(index, active=False)  # thirty days before, in Entra's recycle bin
        self.ask("delete", "DELETE", path, expect=(204,), of=label)
        self.expected.remove_user(user)
        self.ask("read deleted", "GET", path, expect=(404,), of=label)
        self.ask("delete again", "DELETE", path, expect=(404,), of=label)

    def _restore(self, index: int) -> None:
        attributes = attributes_of(self.company.people[index])
        deleted, label = self.users[index], f"user {attributes['userName']}"
        self.find("match", "/Users", eq("userName", attributes["userName"]), of=label, count=0)
        body = bodies.user(attributes)
        reply = self._post(label, body)
        if user := self.created(attributes, reply):
            self.expected.users.remove(deleted)  # the same name, and perhaps the same id, lives
            self.users[index] = user

    def _pages(self) -> None:
        for number in range(3):
            start = number * PAGE + 1
            query = f"startIndex={start}&count={PAGE}"
            reply = self.ask("page", "GET", "/Users", query=query)
            if reply.status == 200 and reply.body.get("startIndex") != start:
                self.findings.add("page", "startIndex", start, reply.body.get("startIndex"))
            if len(reply.resources) > PAGE:
                self.findings.add("page", "count", PAGE, len(reply.resources))
