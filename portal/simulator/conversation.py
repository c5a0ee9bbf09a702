"""What both IdPs' conversations share: asking, checking the status, keeping the expected model."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from portal.simulator.client import Body, Habits, Reply, ScimClient, SimulationError
from portal.simulator.expected import ERROR, LIST_RESPONSE, Attributes, Expected, ExpectedUser
from portal.simulator.people import Company
from portal.simulator.progress import Progress
from portal.simulator.roles import Roles
from portal.simulator.verify import Findings, compare_user, eq, quoted, read_back

Item = TypeVar("Item")


class Conversation(ABC):
    """One run of one IdP against one server."""

    habits: Habits
    plus_for_space = False

    def __init__(
        self, client: ScimClient, company: Company, seed: str, progress: Progress, workers: int
    ) -> None:
        """Take the cast and the connection; nothing is sent yet."""
        self.client = client
        self.company = company
        self.seed = seed
        self.progress = progress
        self.workers = workers
        self.expected = Expected()
        self.findings = Findings(client.redact)
        self.roles = Roles.cast(f"{type(self).__name__}:{seed}", len(company.people))
        self.users: dict[int, ExpectedUser] = {}

    def run(self) -> None:
        """Hold the whole conversation, then read everything back."""
        self.open()
        self.provision()
        with self.progress.phase("Reading everything back", self._resources()) as step:
            read_back(self, step)

    @abstractmethod
    def open(self) -> None:
        """Test the connection as the IdP does before its first cycle."""

    @abstractmethod
    def provision(self) -> None:
        """Hold the conversation itself."""

    def ask(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Body | None = None,
        expect: Iterable[int] = (200,),
        of: str = "",
        token: str | None = None,
    ) -> Reply:
        """Send a request; an unexpected status, a page or a malformed error is a mismatch."""
        reply = self.client.send(kind, method, path, query=query, body=body, token=token)
        wanted = tuple(expect)
        subject = of or f"{method} {path}"
        if reply.status not in wanted:
            words = " or ".join(str(status) for status in wanted)
            self.findings.add(subject, f"{kind}: status", words, self._answer(reply))
        elif reply.is_html:
            self.findings.add(subject, f"{kind}: media type", "SCIM", reply.media_type)
        elif reply.status >= 400 and (
            reply.body.get("schemas") != [ERROR] or reply.body.get("status") != str(reply.status)
        ):
            self.findings.add(subject, f"{kind}: error body", "a SCIM Error", reply.body)
        return reply

    def find(
        self, kind: str, path: str, expression: str, *, of: str, count: int | None = None
    ) -> Reply:
        """Look up by filter as this IdP writes it; `count` is how many must be found."""
        reply = self.ask(kind, "GET", path, query=self.filter_query(expression), of=of)
        if reply.status == 200 and count is not None and len(reply.resources) != count:
            self.findings.add(of, f"{kind}: {expression}", f"{count} found", len(reply.resources))
        return reply

    def filter_query(self, expression: str) -> str:
        """Return the query string of a filter."""
        return f"filter={quoted(expression, plus=self.plus_for_space)}"

    def first_contact(self, expression: str) -> None:
        """Make the first look-up. Raises SimulationError when this is no SCIM base."""
        query = self.filter_query(expression)
        reply = self.client.send("test connection", "GET", "/Users", query=query)
        if reply.status == 0:
            raise SimulationError(f"{self.client.base} gave no answer within a minute.")
        if reply.status == 429 or reply.status >= 500:
            raise SimulationError(f"{self.client.base} failed at once: {self._answer(reply)}.")
        if reply.status != 200 or LIST_RESPONSE not in (reply.body.get("schemas") or []):
            raise SimulationError(
                f"{self.client.base} does not look like a SCIM base URL: GET /Users answered "
                f"{self._answer(reply)}; it usually ends in /scim/v2."
            )
        if reply.resources or reply.body.get("totalResults") != 0:
            self.findings.add("test connection", expression, "0 found", len(reply.resources))

    def created(self, attributes: Attributes, reply: Reply) -> ExpectedUser | None:
        """Keep a user the server says it made; None when the answer names no id."""
        label = f"user {attributes['userName']}"
        if reply.status != 201:
            return None
        identifier = reply.body.get("id")
        if not isinstance(identifier, str):
            self.findings.add(label, "id in the answer", "an id", identifier)
            return None
        meta = reply.body.get("meta")
        if not isinstance(meta, dict) or not meta.get("location") or not meta.get("resourceType"):
            self.findings.add(label, "meta in the answer", "location and resourceType", meta)
        user = ExpectedUser(identifier, attributes)
        compare_user(self.findings, user, reply.body)
        self.expected.users.append(user)
        return user

    def taken_over(self, attributes: Attributes, identifier: str) -> ExpectedUser:
        """Keep a user that an earlier run of this seed had made."""
        user = ExpectedUser(identifier, attributes)
        self.expected.users.append(user)
        return user

    def check_now(self, user: ExpectedUser, kind: str) -> None:
        """Read one user in mid-conversation and compare it with what was sent so far."""
        reply = self.ask(kind, "GET", f"/Users/{user.id}", of=f"user {user.user_name}")
        if reply.status == 200:
            compare_user(self.findings, user, reply.body)

    def each(self, title: str, items: Iterable[Item], act: Callable[[Item], None]) -> None:
        """Act on every item under a progress bar, on several threads if the run has them."""
        todo = list(items)
        with self.progress.phase(title, len(todo)) as step:
            if self.workers == 1:
                for item in todo:
                    act(item)
                    step()
                return
            with ThreadPoolExecutor(self.workers) as pool:
                for _ in pool.map(act, todo):
                    step()

    def present(self, indexes: Iterable[int]) -> list[int]:
        """Return those of the people who did reach the server."""
        return [index for index in indexes if index in self.users]

    def duplicate(self, body: Body, user_name: str) -> None:
        """Create once more, as after a time-out: 409 uniqueness, and the look-up finds the user."""
        label = f"user {user_name}"
        reply = self.ask("create again", "POST", "/Users", body=body, expect=(409,), of=label)
        if reply.status == 409 and reply.body.get("scimType") != "uniqueness":
            self.findings.add(label, "scimType", "uniqueness", reply.body.get("scimType"))
        self.find("match", "/Users", eq("userName", user_name), of=label, count=1)

    def _resources(self) -> int:
        return len(self.expected.users) + len(self.expected.groups)

    def _answer(self, reply: Reply) -> str:
        if reply.status == 0:
            return "no answer within 60 s"
        detail = reply.body.get("detail") or reply.media_type or "no body"
        scim_type = f" {reply.body['scimType']}" if reply.body.get("scimType") else ""
        return self.client.redact(f"{reply.status}{scim_type} ({detail})")
