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
from bench.cluster import Cluster
from bench.measuring import WARM_UP_S, Effort, once
from bench.subjects import Alta, Subject
from bench.talks import World

LEAST_TURNS = 3
ROUNDS = 2  # times the usual number of runs: differences are small


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
    costs: dict[str, list[float]] = {"all": [], "log": [], "event": [], "triggers": []}
    world = World()

    def run(name: str, server: Alta) -> None:
        talk = partial(talks.create, server, world)
        cost = once(server.pid, cluster.pid, server.port, talk, effort, server.settles_s).cpu_ms
        costs[name].append(cost)

    for server in (alta, without_log, without_event):
        drive(server.port, partial(talks.create, server, world), effort.connections, WARM_UP_S)
    for turn in range(max(LEAST_TURNS, effort.runs * ROUNDS)):
        told(f"parts of POST, turn {turn + 1}")
        run("all", alta)
        run("log", without_log)
        run("event", without_event)
        with cluster.connect(alta.database) as connection:
            connection.execute(POSTGRESQL_REMOVE)
            run("triggers", alta)
            connection.execute(POSTGRESQL)
    whole = statistics.median(costs["all"])
    titles = {
        "event": "the audit event, with its triggers",
        "triggers": "the triggers of the trail alone",
        "log": "the provisioning log",
    }
    return [
        {
            "part": part,
            "title": title,
            "with_ms": round(whole, 4),
            "without_ms": round(statistics.median(costs[part]), 4),
            "runs": {name: [round(cost, 4) for cost in costs[name]] for name in ("all", part)},
        }
        for part, title in titles.items()
    ]
