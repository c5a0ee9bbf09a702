"""The order of a bench: load a size, measure what reads, then what writes; the larger size next."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import measures, parts, processes, trail
from bench.client import drive
from bench.cluster import Cluster
from bench.machine import describe
from bench.measures import BY_KEY, MEASURES, Measure
from bench.measuring import WARM_UP_S, Effort, Figure, Run, median, once, repeated
from bench.subjects import WORKERS, Alta, Floor, PersistentVanilla, Subject, Vanilla, vanilla_rows
from bench.talks import VANILLA_FIRST, World

CONNECTIONS = (1, 8)
SMALL = 10_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large everything gets."""

    users: list[int]
    members: list[int]
    events: int

    @property
    def is_small(self) -> bool:
        """Whether writes cost alike at the largest size and at the smallest: measured once."""
        return max(self.users) <= SMALL


@dataclass(slots=True)
class Result:
    """All that a bench found."""

    machine: dict[str, Any]
    sizes: dict[str, Any]
    figures: list[Figure] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            "machine": self.machine,
            "sizes": self.sizes,
            "facts": self.facts,
            "figures": [figure.to_dict() for figure in self.figures],
        }


class Bench:
    """A cluster, the subjects in it, and the steps."""

    def __init__(
        self,
        folder: Path,
        sizes: Sizes,
        effort: Effort,
        only: set[str] | None,
        names: set[str] | None,
        console: Console,
    ) -> None:
        self.folder, self.sizes, self.effort, self.only = folder, sizes, effort, only
        self.console = console
        self.cluster = Cluster(folder / "postgresql")
        alta = Alta(self.cluster, folder / "alta")
        vanilla = Vanilla(self.cluster, folder / "vanilla")
        persistent = PersistentVanilla(self.cluster, folder / "persistent", vanilla)
        floor = Floor(self.cluster, folder / "floor")
        everybody: list[Subject] = [alta, vanilla, persistent, floor]
        wanted = names and names | ({"vanilla"} if "vanilla-persistent" in names else set())
        self.subjects = {s.name: s for s in everybody if not wanted or s.name in wanted}
        self.world = World()
        self._extra: list[Subject] = []

    def run(self) -> Result:
        """Do everything; return what was found."""
        began = time.monotonic()
        self.cluster.start()
        result = self.result = Result(describe(self.cluster.version), self._sizes())
        for subject in self.subjects.values():
            subject.prepare()
            subject.start()
        steps = list(self._steps())
        columns = TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as bar:
            task = bar.add_task("", total=len(steps))
            for name, step in steps:
                bar.update(task, description=name)
                step()
                bar.advance(task)
            bar.update(task, description="done")
        result.facts["took_s"] = round(time.monotonic() - began)
        return result

    def stop(self) -> None:
        """Stop all servers, whatever happened."""
        for subject in (*self.subjects.values(), *self._extra):
            subject.stop()
        self.cluster.stop()

    def _sizes(self) -> dict[str, Any]:
        return {
            "users": self.sizes.users,
            "members": self.sizes.members,
            "events": self.sizes.events,
            "seconds": self.effort.seconds,
            "runs": self.effort.runs,
            "connections": self.effort.connections,
        }

    # The steps ----------------------------------------------------------------------------------

    def _steps(self) -> Any:
        """Yield (what it is, what to call)."""
        users = self.sizes.users
        for size in users:
            wanted = [m for m in MEASURES if m.axis == "users" and self._wants(m.key)]
            is_end = size in (users[0], users[-1]) and (size == users[0] or not self.sizes.is_small)
            writes = [m for m in wanted if m.key in measures.WRITES and is_end]
            reads = [m for m in wanted if m.key not in (*measures.WRITES, *measures.ONCE)]
            if size == users[0]:
                reads = [m for m in wanted if m.key in measures.ONCE] + reads
            if not reads and not writes:
                continue
            yield f"load {size:,} users", partial(self._load_users, size)
            for measure in (*reads, *writes):
                for name in measure.subjects:
                    if name in self.subjects:
                        title = f"{measure.key}, {size:,} users: {name}"
                        yield title, partial(self._measure, measure, name, size)
            if size == users[0] and self._wants("rest"):
                for count in CONNECTIONS:
                    title = f"post over {count} connections"
                    yield title, partial(self._measure, BY_KEY["post"], "alta", size, count)
            if writes:
                yield "forget the users of POST", self._forget
        grown = [m for m in MEASURES if m.axis == "members" and self._wants(m.key)]
        for size in self.sizes.members if grown else []:
            yield f"load a group of {size:,}", partial(self._load_group, size)
            for measure in grown:
                for name in measure.subjects:
                    if name in self.subjects:
                        title = f"{measure.key}, {size:,} members: {name}"
                        yield title, partial(self._measure, measure, name, size)
        if self._wants("rest"):
            yield "memory", self._memory
        if self._wants("off") and "alta" in self.subjects:
            yield "parts of POST", self._parts
        if self._wants("trail") and "alta" in self.subjects and self.sizes.events:
            yield f"the trail with {self.sizes.events:,} events", self._trail

    def _wants(self, key: str) -> bool:
        return not self.only or key in self.only

    def _measure(
        self, measure: Measure, name: str, size: int, connections: int | None = None
    ) -> None:
        subject = self.subjects[name]
        effort = self.effort
        if connections:
            effort = Effort(effort.seconds, effort.runs, connections)
        self.world.members = size if measure.axis == "members" else 0
        talk = partial(measure.speak, subject, self.world)
        runs = repeated(
            partial(
                once, subject.pid, self.cluster.pid, subject.port, talk, effort, subject.settles_s
            ),
            lambda: self._warm_up(subject, talk),
            effort.runs,
        )
        self._keep(measure.key, subject, size, effort, runs)

    def _warm_up(self, subject: Subject, talk: Callable[[int], Any]) -> None:
        drive(subject.port, talk, WORKERS, WARM_UP_S)
        time.sleep(subject.settles_s)

    def _keep(
        self, key: str, subject: Subject, size: int, effort: Effort, runs: list[Run]
    ) -> Figure:
        run = median(runs)
        figure = Figure(
            measure=key,
            subject=subject.name,
            size=size,
            connections=effort.connections,
            cpu_ms=run.cpu_ms,
            server_ms=run.server_ms,
            database_ms=run.database_ms,
            requests=run.requests,
            rps=run.rps,
            p50_ms=run.p50_ms,
            p99_ms=run.p99_ms,
            client_ms=run.client_ms,
            others=max(run.others for run in runs),
            memory_mib=processes.memory_mib(subject.pid),
            runs=tuple(run.cpu_ms for run in runs),
        )
        self.result.figures.append(figure)
        self.console.print(
            f"{key:<16}{subject.name:<20}{size:>9,} ×{effort.connections} "
            f"{figure.cpu_ms:>9.3f} ms  server {figure.server_ms:.3f}  database "
            f"{figure.database_ms:.3f}  {figure.rps:,.0f}/s  p99 {figure.p99_ms:.1f} ms",
            highlight=False,
            soft_wrap=True,
        )
        return figure

    # What fills the databases -------------------------------------------------------------------

    def _load_users(self, size: int) -> None:
        first = self.world.users
        if size <= first:
            return
        if isinstance(alta := self.subjects.get("alta"), Alta):
            numbers = ("--first", str(first), "--users", str(size))
            alta.run("bench.load", "directory", *numbers, "--members")
        if vanilla := self.subjects.get("vanilla"):
            columns = (
                "id, password, is_superuser, username, first_name, last_name, email, is_staff,"
                " is_active, date_joined, scim_id, scim_external_id, scim_username"
            )
            with (
                self.cluster.connect(vanilla.database) as connection,
                connection.cursor() as cursor,
            ):
                with cursor.copy(f"COPY vanilla_user ({columns}) FROM STDIN") as copy:
                    for row in vanilla_rows(first, size):
                        copy.write_row(row)
                highest = "(SELECT max(id) FROM vanilla_user)"
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('vanilla_user', 'id'), {highest})"
                )
                cursor.execute("VACUUM (ANALYZE) vanilla_user")
        self.world.users = size

    def _load_group(self, size: int) -> None:
        # One more for each connection, to come and go.
        self._load_users(max(self.world.users, size + 100))
        number = len(self.world.groups)
        self.world.groups.append(size)
        if isinstance(alta := self.subjects.get("alta"), Alta):
            numbers = ("--users", "0", "--first-group", str(number), "--members", str(size))
            alta.run("bench.load", "directory", *numbers)
        if vanilla := self.subjects.get("vanilla"):
            with self.cluster.connect(vanilla.database) as connection:
                id = VANILLA_FIRST + number
                connection.execute(
                    "INSERT INTO vanilla_group (id, name, scim_id, scim_display_name)"
                    " VALUES (%s, %s, %s, %s)",
                    [id, f"group {number}", str(id), f"group {number}"],
                )
                connection.execute(
                    "INSERT INTO vanilla_user_scim_groups (user_id, group_id)"
                    " SELECT id, %s FROM vanilla_user WHERE id >= %s AND id < %s",
                    [id, VANILLA_FIRST, VANILLA_FIRST + size],
                )
                connection.execute("VACUUM (ANALYZE) vanilla_user_scim_groups")

    def _forget(self) -> None:
        """Delete whom POST created, so that the next size is what it says."""
        if "alta" in self.subjects:
            with self.cluster.connect("alta") as connection:
                new = "SELECT id FROM provisioning_user WHERE created_at > '2025-06-01'"
                connection.execute(
                    f"DELETE FROM provisioning_indexedvalue WHERE user_id IN ({new})"
                )
                connection.execute(f"DELETE FROM provisioning_user WHERE id IN ({new})")
                connection.execute("VACUUM (ANALYZE) provisioning_user, provisioning_indexedvalue")
        if "vanilla" in self.subjects:
            with self.cluster.connect("vanilla") as connection:
                connection.execute("DELETE FROM vanilla_user WHERE date_joined > '2025-06-01'"
                                   " AND username <> 'idp'")  # fmt: skip
                connection.execute("VACUUM (ANALYZE) vanilla_user")

    def _parts(self) -> None:
        """Measure POST with parts of it left out, in a database of its own."""
        alta = self._another("alta-parts")
        alta.start()
        self.result.facts["parts_of_post"] = parts.measured(
            self.cluster, alta, self._extra, self.effort, self._tell
        )
        self._end_extra()

    def _trail(self) -> None:
        """Load the trail into a database of its own, and measure what auditors do."""
        alta = self._another("alta-trail")
        self.result.facts["trail"] = trail.measured(
            self.cluster, alta, self.sizes.events, self.effort, self._tell
        )
        self._end_extra()

    def _another(self, name: str) -> Alta:
        alta = Alta(self.cluster, self.folder / name, name)
        self._extra.append(alta)
        alta.prepare()
        return alta

    def _end_extra(self) -> None:
        for server in self._extra:
            server.stop()
        self._extra.clear()

    def _tell(self, text: str) -> None:
        self.console.print(text, highlight=False)

    def _memory(self) -> None:
        """Keep what each server holds after all of it."""
        self.result.facts["memory_mib"] = {
            name: {
                "pss": round(processes.memory_mib(subject.pid)),
                "rss": round(processes.rss_mib(subject.pid)),
            }
            for name, subject in self.subjects.items()
        }
