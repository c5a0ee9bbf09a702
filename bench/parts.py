"""What the parts of a POST cost, each left out in turn: the event, its triggers, the log.

Nothing in Alta can be switched off but the log; the rest is done to a database and a server of
this bench's own. The variants take turns, so that a slow moment of the machine meets all alike.
"""

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from audit.append_only import POSTGRESQL, POSTGRESQL_REMOVE
from bench import talks
from bench.client import drive
from bench.cluster import Cluster, Missing
from bench.measuring import WARM_UP_S, Effort, Run, once
from bench.subjects import Alta, Subject
from bench.talks import World

LEAST_TURNS = 3
ROUNDS = 2  # times the usual number of runs: differences are small
TITLES = {
    "event": "the audit event, with its triggers",
    "triggers": "the triggers of the trail alone",
    "log": "the provisioning log",
}


def measured(
    cluster: Cluster,
    alta: Alta,
    servers: list[Subject],
    effort: Effort,
    told: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return each part with what a POST costs with and without it. `servers` gets what runs."""
    without_log = alta.twin("without-log", PROVISIONING_LOG="off")
    without_event = alta.twin("without-event", application="bench.peers.without_events:application")
    servers += [without_log, without_event]
    for server in (without_log, without_event):
        server.start()
    runs: dict[str, list[Run]] = {"all": [], "log": [], "event": [], "triggers": []}
    world = World()

    def run(name: str, server: Alta) -> None:
        talk = partial(talks.create, server, world)
        done = once(server.pid, cluster.pid, server.port, talk, effort, server.settles_s)
        runs[name].append(done)

    for server in (alta, without_log, without_event):
        before = _events(cluster, alta)
        drive(server.port, partial(talks.create, server, world), effort.connections, WARM_UP_S)
        if (_events(cluster, alta) == before) != (server is without_event):
            raise Missing(f"{server.name} does not do what it is there for: look at the events.")
    for turn in range(max(LEAST_TURNS, effort.runs * ROUNDS)):
        told(f"parts of POST, turn {turn + 1}")
        run("all", alta)
        run("log", without_log)
        run("event", without_event)
        with cluster.connect(alta.database) as connection:
            connection.execute(POSTGRESQL_REMOVE)
            run("triggers", alta)
            connection.execute(POSTGRESQL)
    return [
        {"part": part, "title": title} | cost(runs["all"], runs[part])
        for part, title in TITLES.items()
    ]


def cost(whole: list[Run], without: list[Run]) -> dict[str, Any]:
    """Return what a part costs: the median of the differences of neighbouring runs."""
    pairs = list(zip(whole, without, strict=True))
    return {
        "with_ms": round(statistics.median(run.cpu_ms for run in whole), 4),
        "cost_ms": round(statistics.median(a.cpu_ms - b.cpu_ms for a, b in pairs), 4),
        "server_ms": round(statistics.median(a.server_ms - b.server_ms for a, b in pairs), 4),
        "database_ms": round(statistics.median(a.database_ms - b.database_ms for a, b in pairs), 4),
        "differences": [round(a.cpu_ms - b.cpu_ms, 4) for a, b in pairs],
    }


def _events(cluster: Cluster, alta: Alta) -> int:
    with cluster.connect(alta.database) as connection:
        row = connection.execute("SELECT count(*) FROM audit_event").fetchone()
        return int(row[0]) if row else 0
