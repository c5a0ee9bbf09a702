"""One figure: some runs of a talk to a server, with what they cost it and its database."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench import processes
from bench.client import Talk, drive
from bench.figures import percentile

WARM_UP_S = 0.4
# A run that took this long is not repeated: what is so slow need not be known better.
LONG_S = 15.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one run cost, in CPU milliseconds a request, and how it felt from outside."""

    cpu_ms: float
    server_ms: float
    database_ms: float
    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    client_ms: float
    others: float  # share of the machine that others used meanwhile


@dataclass(frozen=True, slots=True)
class Figure:
    """The median run of a measure of a subject at a size."""

    measure: str
    subject: str
    size: int
    connections: int
    cpu_ms: float
    server_ms: float
    database_ms: float
    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    client_ms: float
    others: float
    memory_mib: float
    runs: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in (asdict(self) | {"runs": [round(r, 4) for r in self.runs]}).items()
        }


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often each talk runs, over how many connections."""

    seconds: float = 3.0
    runs: int = 3
    connections: int = 4


def once(
    server: int, database: int, port: int, talk: Callable[[int], Talk], effort: Effort,
    settles_s: float,
) -> Run:  # fmt: skip
    """Run a talk; read the CPU of both process trees before it, and after what it put off."""
    before = processes.cpu_ms(server), processes.cpu_ms(database), processes.busy_ms()
    start, own = time.perf_counter(), time.process_time()
    driven = drive(port, talk, effort.connections, effort.seconds)
    time.sleep(settles_s)
    after = processes.cpu_ms(server), processes.cpu_ms(database), processes.busy_ms()
    wall_ms = (time.perf_counter() - start) * 1000
    own_ms = (time.process_time() - own) * 1000
    on_server, on_database, busy = (b - a for a, b in zip(before, after, strict=True))
    others = max(0.0, busy - on_server - on_database - own_ms) / wall_ms / processes.CORES
    return Run(
        cpu_ms=(on_server + on_database) / driven.count,
        server_ms=on_server / driven.count,
        database_ms=on_database / driven.count,
        requests=driven.count,
        rps=driven.count / driven.seconds,
        p50_ms=percentile(driven.latencies_ms, 50),
        p99_ms=percentile(driven.latencies_ms, 99),
        client_ms=driven.client_ms / driven.count,
        others=others,
    )


def median(runs: list[Run]) -> Run:
    """Return the run whose CPU is the median."""
    middle = statistics.median_low([run.cpu_ms for run in runs])
    return next(run for run in runs if run.cpu_ms == middle)


def repeated(run: Callable[[], Run], warm_up: Callable[[], None], times: int) -> list[Run]:
    """Warm up, then run some times; only once what takes very long."""
    warm_up()
    runs = []
    for _ in range(times):
        start = time.monotonic()
        runs.append(run())
        if time.monotonic() - start > LONG_S:
            break
    return runs
